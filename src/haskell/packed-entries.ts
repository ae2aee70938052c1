import type { Entry } from '../store/session-store.ts'

/** An array parameter whose length the planner cannot see; see `list` of `parameter-types.ts`. */
export function list(parameter: number, type: string): string {
  return `(select $${parameter}::text)::${type}[]`
}

/** The entries of one session, of two array parameters. */
export function entryList(first: number): string {
  return `unnest(${list(first, 'text')}, ${list(first + 1, 'text')}) as e (key, value)`
}

/** One byte string, which a client decodes at once: each key and value after its length. */
export const ENTRIES: string = `encode(string_agg(
            int4send(octet_length(key)) || key || int4send(octet_length(value)) || value, ''
          ), 'hex')`

const LENGTH = 4

/** Reads what `ENTRIES` gives. */
export function readEntries(packed: string | null | undefined): Entry[] {
  const bytes = Buffer.from(packed ?? '', 'hex')
  const entries: Entry[] = []
  for (let at = 0; at < bytes.length; ) {
    const key = at + LENGTH
    const keyEnd = key + bytes.readUInt32BE(at)
    const value = keyEnd + LENGTH
    at = value + bytes.readUInt32BE(keyEnd)
    entries.push({ key: bytes.subarray(key, keyEnd), value: bytes.subarray(value, at) })
  }
  return entries
}
