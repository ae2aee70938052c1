/**
 * Turns a session's keys and values into the bytes that a store keeps, and back.
 *
 * A codec gives back exactly what it was given, or refuses: `decode(encode(value))` equals `value`
 * for every value that `encode` accepts. It holds no state and never asks anything outside itself.
 */
export interface Codec {
  /** Names the format in messages: `json`. */
  readonly name: string

  /** @throws {InvalidValueError} The key cannot be given back as it was (a lone surrogate, say). */
  encodeKey(key: string): Uint8Array

  /** @throws {UndecodableError} The bytes are no key of this codec. */
  decodeKey(bytes: Uint8Array): string

  /**
   * @param path - How messages call the value; the place of a fault is appended to it.
   * @throws {InvalidValueError} Names the path of the part that cannot be given back as it was.
   */
  encode(value: unknown, path: string): Uint8Array

  /** @throws {UndecodableError} The bytes are no value of this codec. */
  decode(bytes: Uint8Array): unknown
}
