import { InvalidValueError, isSessionError, UndecodableError } from '../errors.ts'
import type { Codec } from './codec.ts'
import { JsonWalk } from './json-walk.ts'
import { decodeKeyUtf8, decodeUtf8, encodeKeyUtf8, encodeUtf8 } from './utf8.ts'

/**
 * The default codec: JSON text in UTF-8, which a person can read with plain SQL.
 *
 * It refuses whatever JSON would quietly change: `undefined`, functions, symbols, `NaN`, `Infinity`,
 * `-0`, bigints, dates, maps, sets and all other objects of a class or without a prototype, cycles,
 * sparse arrays, hidden properties, getters, and halves of surrogate pairs. Nesting is limited to
 * 100 levels. A `__proto__` of the object's own is a plain key and comes back as one. An object
 * that stands in two places comes back as two equal ones.
 *
 * @example
 * ```ts
 * jsonCodec.decode(jsonCodec.encode({ items: ['tea'] }, 'basket')) // { items: ['tea'] }
 * jsonCodec.encode({ since: new Date() }, 'basket') // InvalidValueError: basket.since is a Date, …
 * ```
 */
export const jsonCodec: Codec = Object.freeze({
  name: 'json',
  encodeKey: encodeKeyUtf8,
  decodeKey: decodeKeyUtf8,

  encode(value: unknown, path: string): Uint8Array {
    return encodeUtf8(writeJson(value, path))
  },

  decode(bytes: Uint8Array): unknown {
    const text = decodeUtf8(bytes)
    try {
      return JSON.parse(text)
    } catch {
      // JSON.parse quotes the text in its message; the stored value must not get into a log.
      throw new UndecodableError('The stored value is not JSON.')
    }
  },
})

function writeJson(value: unknown, path: string): string {
  try {
    new JsonWalk(path).visit(value, 0)
    return JSON.stringify(value)
  } catch (error) {
    if (isSessionError(error)) {
      // The caller's frames, in place of one for each level of the value.
      Error.captureStackTrace?.(error, writeJson)
      throw error
    }
    // A proxy's trap threw, or the text is longer than a string can be.
    throw new InvalidValueError(path, 'cannot be read, or is too large to be written as JSON.')
  }
}
