import { InvalidValueError } from '../errors.ts'

/**
 * Refuses a key or value that is not bytes yet: a codec makes them of texts, numbers and objects.
 *
 * @throws {InvalidValueError} If it is not a `Uint8Array`.
 */
export function assertBytes(bytes: unknown): asserts bytes is Uint8Array {
  // One from another realm, such as the environment of a test runner, has another class.
  if (bytes instanceof Uint8Array || ArrayBuffer.isView(bytes)) return
  throw new InvalidValueError(
    'A key or value',
    `that was given to the store must be a Uint8Array, as the codec's encodeKey and encode make it; it is ${typeof bytes === 'object' ? 'another object' : `a ${typeof bytes}`}.`,
  )
}
