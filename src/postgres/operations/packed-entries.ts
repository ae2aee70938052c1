import type { Entry, OmittedEntry, SessionRecord } from '../../store/session-store.ts'
import type { AnswerBytes } from '../answer-bytes.ts'

/**
 * Bytes of entries that a shared statement answers for one session, and for all of them together. A session
 * with more than its part is loaded alone.
 */
const MOST_SHARED_BYTES = 262_144
const MOST_BYTES_TOGETHER = 4_194_304

/** The part of each of so many sessions. */
export function mostSharedBytes(sessions: number): number {
  return Math.min(MOST_SHARED_BYTES, Math.ceil(MOST_BYTES_TOGETHER / sessions))
}

/** What no value exceeds. */
const UNLIMITED = `${2 ** 31 - 1}`

/**
 * Writes the entries of a session as bytes: an array with the length of each key, the key and the value. A value
 * over `large` bytes stays where it is, and its own length takes its place.
 *
 * @param from - Where the entries are, and which: what follows `from` in a select.
 */
export function packEntries(from: string, large: string = UNLIMITED): string {
  // An array of a subselect costs the server half of an aggregate.
  return `array_send(array(
              select case
                when octet_length(value) <= ${large} then int4send(octet_length(key)) || key || value
                else int4send(-1 - octet_length(key)) || key || int4send(octet_length(value))
              end
              from ${from}
            ))`
}

/** The same, or a mere -1 when they are more than `most` bytes, too much for a statement that is shared. */
export function packSharedEntries(from: string, most: string, large: string = UNLIMITED): string {
  return `(
            select case when octet_length(packed) > ${most} then int4send(-1) else packed end
            from (select ${packEntries(from, large)} as packed offset 0) as entries
          )`
}

type Content = Pick<SessionRecord, 'entries' | 'omitted'>

/**
 * Reads what `packEntries` wrote; null when the session holds too much for a shared statement.
 *
 * @see `array_send` in https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/arrayfuncs.c
 */
export function readEntries(answer: AnswerBytes): Content | null {
  const dimensions = answer.int()
  if (dimensions < 0) return null
  answer.take(8) // flags and the type of the elements
  const entries: Entry[] = []
  if (dimensions === 0) return { entries }
  const count = answer.int()
  answer.take(4) // the index of the first
  const omitted: OmittedEntry[] = []
  for (let n = 0; n < count; n++) {
    const size = answer.int()
    const keySize = answer.int()
    if (keySize >= 0) {
      entries.push({ key: answer.take(keySize), value: answer.take(size - 4 - keySize) })
    } else {
      omitted.push({ key: answer.take(-1 - keySize), size: answer.int() })
    }
  }
  return omitted.length === 0 ? { entries } : { entries, omitted }
}
