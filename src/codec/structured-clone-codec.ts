import { DevalueError, parse, stringify } from 'devalue'
import { InvalidValueError, isSessionError, UndecodableError } from '../errors.ts'
import type { Codec } from './codec.ts'
import { StructuredCloneWalk } from './structured-clone-walk.ts'
import { decodeKeyUtf8, decodeUtf8, encodeKeyUtf8, encodeUtf8 } from './utf8.ts'

/**
 * A codec that keeps what JSON cannot: `undefined`, bigints, `NaN`, `Infinity`, `-0`, dates, maps,
 * sets, regular expressions, array buffers and their views, sparse arrays, objects without a
 * prototype, halves of surrogate pairs, cycles, and objects that stand in several places.
 *
 * It refuses functions, symbols, objects of other classes (`Buffer` and boxed primitives among
 * them), views of a part of a buffer, hidden properties, getters, and properties called `__proto__`.
 * Nesting is limited to 100 levels. What is stored is text in devalue's format, in UTF-8.
 *
 * @see https://github.com/sveltejs/devalue
 * @example
 * ```ts
 * const sessions = createSessions({ database, codec: structuredCloneCodec })
 * ```
 */
export const structuredCloneCodec: Codec = Object.freeze({
  name: 'structured-clone',
  encodeKey: encodeKeyUtf8,
  decodeKey: decodeKeyUtf8,

  encode(value: unknown, path: string): Uint8Array {
    return encodeUtf8(write(value, path))
  },

  decode(bytes: Uint8Array): unknown {
    const text = decodeUtf8(bytes)
    try {
      return parse(text)
    } catch {
      // The reasons quote what was stored. Text nested too deeply to be read ends here as well.
      throw new UndecodableError('The stored value is not in the structured clone format.')
    }
  },
})

function write(value: unknown, path: string): string {
  try {
    new StructuredCloneWalk(path).visit(value, 0)
    return stringify(value)
  } catch (error) {
    if (isSessionError(error)) {
      // The caller's frames, in place of one for each level of the value.
      Error.captureStackTrace?.(error, write)
      throw error
    }
    // An object that only claims to be a Date or a Map, a proxy's trap that threw, a detached
    // buffer, or a text longer than a string can be.
    const where = error instanceof DevalueError ? error.path : ''
    throw new InvalidValueError(path + where, 'cannot be read, or is too large to be written.')
  }
}
