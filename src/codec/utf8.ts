/** Text as UTF-8 bytes, without the silent repairs that encoders and decoders make by default. */

import { InvalidValueError, UndecodableError } from '../errors.ts'
import { rootPath } from './value-path.ts'

// Without `fatal`, bytes that are not UTF-8 would become U+FFFD; without `ignoreBOM`, a leading
// U+FEFF would be lost.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** True unless the text holds half of a surrogate pair, which UTF-8 has no bytes for. */
export function isWellFormed(text: string): boolean {
  // ES2024; every Node this package supports has it, the ES2023 type library does not name it.
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** The bytes of a text that `isWellFormed`; the caller has made sure of that. */
export function encodeUtf8(text: string): Uint8Array {
  // Buffer takes small ones from a pool, which spares the garbage collector an allocation for each.
  return Buffer.from(text, 'utf8')
}

/** @throws {UndecodableError} The bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new UndecodableError('The stored bytes are not UTF-8.')
  }
}

/**
 * A session's key as UTF-8.
 *
 * U+0000 is refused although UTF-8 has it: PostgreSQL's `text` has not, and one such key would make
 * every query fail that reads keys as text.
 *
 * @throws {InvalidValueError} The key holds a lone surrogate or U+0000, or is not a string.
 * @see https://www.postgresql.org/docs/current/datatype-character.html
 */
export function encodeKeyUtf8(key: string): Uint8Array {
  if (typeof key !== 'string') throw notAString(key)
  if (!isWellFormed(key)) {
    throw new InvalidValueError(rootPath(key), 'is not a key: it holds half of a surrogate pair.')
  }
  if (key.includes('\0')) {
    throw new InvalidValueError(rootPath(key), 'is not a key: it holds the character U+0000.')
  }
  return encodeUtf8(key)
}

/** Refuses a call such as `session.get()` or `session.set({ basket })`. */
export function notAString(key: unknown): InvalidValueError {
  const kind = key === null ? 'null' : typeof key
  const given = kind === 'undefined' || kind === 'null' ? kind : `of the type ${kind}`
  return new InvalidValueError(
    'A key',
    `must be a string, as in session.get('basket') and session.set('basket', value), and this one is ${given}.`,
  )
}

/** @throws {UndecodableError} The bytes are not a key that `encodeKeyUtf8` gives. */
export function decodeKeyUtf8(bytes: Uint8Array): string {
  const key = decodeUtf8(bytes)
  if (key.includes('\0')) throw new UndecodableError('The stored key holds the character U+0000.')
  return key
}
