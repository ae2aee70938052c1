import type { Codec } from '../../src/codec/codec.ts'
import { InvalidValueError } from '../../src/errors.ts'

/** The error with which a codec refuses a value; fails when it takes the value or throws another. */
export function refusal(codec: Codec, value: unknown): InvalidValueError {
  try {
    codec.encode(value, 'basket')
  } catch (error) {
    if (error instanceof InvalidValueError) return error
    throw error
  }
  throw new TypeError('The codec took the value.')
}

/** An array in an array in an array, so many levels deep. */
export function nested(levels: number): unknown {
  let value: unknown = []
  for (let level = 1; level < levels; level += 1) value = [value]
  return value
}
