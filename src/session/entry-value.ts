import type { Codec } from '../codec/codec.ts'

/** An entry's value as bytes, decoded once, at first use. */
export class EntryValue {
  /** Bytes of the key and value together, as limits count them. */
  readonly size: number
  readonly bytes: Uint8Array
  #decoded: { readonly value: unknown } | null = null

  constructor(bytes: Uint8Array, keySize: number) {
    this.bytes = bytes
    this.size = keySize + bytes.length
  }

  /** @throws {UndecodableError} The bytes are none of this codec's. */
  decode(codec: Codec): unknown {
    this.#decoded ??= { value: codec.decode(this.bytes) }
    return this.#decoded.value
  }
}
