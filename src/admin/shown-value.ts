import { inspect } from 'node:util'
import type { Codec } from '../codec/codec.ts'
import { UndecodableError } from '../errors.ts'

/** A value larger than this is not read for the page. */
export const MOST_VALUE_BYTES = 8_192

/** Writes a value for people. */
export function shownValue(codec: Codec, bytes: Uint8Array): string {
  const value = decoded(() => codec.decode(bytes))
  if (value === undefined) return `(the codec ${codec.name} cannot read it)`
  return inspect(value.it, {
    depth: 10,
    maxArrayLength: 1000,
    maxStringLength: 8000,
    breakLength: 72,
  })
}

/** Null for a key that the codec cannot read. */
export function shownKey(codec: Codec, bytes: Uint8Array): string | null {
  return decoded(() => codec.decodeKey(bytes))?.it ?? null
}

function decoded<Value>(decode: () => Value): { readonly it: Value } | undefined {
  try {
    return { it: decode() }
  } catch (error) {
    if (error instanceof UndecodableError) return undefined
    throw error
  }
}
