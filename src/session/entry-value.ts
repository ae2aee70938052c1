import type { Codec } from '../codec/codec.ts'
import { frozen } from './frozen-value.ts'

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

  /**
   * The value, for reading only: the same object each time.
   *
   * @param isFrozen - Whether a change of it in place is to throw.
   * @throws {UndecodableError} If the bytes are not this codec's.
   */
  view(codec: Codec, isFrozen: boolean): unknown {
    if (this.#decoded === null) {
      const value = this.decode(codec)
      this.#decoded = { value: isFrozen ? frozen(value) : value }
    }
    return this.#decoded.value
  }

  /** The value, for the caller to keep. @throws {UndecodableError} If the bytes are not this codec's. */
  decode(codec: Codec): unknown {
    return codec.decode(this.bytes)
  }
}
