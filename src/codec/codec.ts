/**
 * Turns a session's keys and values into the bytes that a store keeps, and back.
 *
 * A codec gives back exactly what it was given, or refuses: `decode(encode(value))` equals `value`
 * for every value that `encode` accepts. It holds no state and never asks anything outside itself.
 *
 * A codec for certain types of keys and values names them, and sessions with that codec have these types.
 */
export interface Codec<Key extends string = string, Value = unknown> {
  /** Names the format in messages: `json`. */
  readonly name: string

  /** @throws {InvalidValueError} The key cannot be given back as it was (a lone surrogate, say). */
  encodeKey(key: Key): Uint8Array

  /** @throws {UndecodableError} The bytes are not a key of this codec. */
  decodeKey(bytes: Uint8Array): Key

  /**
   * @param path - How messages call the value; the place of a fault is appended to it.
   * @throws {InvalidValueError} Names the path of the part that cannot be given back as it was.
   */
  encode(value: Value, path: string): Uint8Array

  /** @throws {UndecodableError} The bytes are not a value of this codec. */
  decode(bytes: Uint8Array): Value
}

/** A codec that takes the keys and values of `Data`. */
export type CodecFor<Data extends object> = Codec & {
  readonly encodeKey: (key: keyof Data & string) => Uint8Array
  readonly encode: (
    value: Exclude<Data[keyof Data & string], undefined>,
    path: string,
  ) => Uint8Array
}
