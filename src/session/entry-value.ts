import type { Codec } from '../codec/codec.ts'
import { NotLoadedError } from '../errors.ts'
import { frozen } from './frozen-value.ts'

/** An entry's value as bytes, decoded once, at first use. */
export class EntryValue {
  /** Bytes of the key and value together, as limits count them. */
  readonly size: number
  readonly #bytes: Uint8Array | null
  #decoded: { readonly value: unknown } | null = null

  /** @param value - Its bytes; or how many there are, while the store has not been asked for them. */
  constructor(value: Uint8Array | number, keySize: number) {
    this.#bytes = typeof value === 'number' ? null : value
    this.size = keySize + (typeof value === 'number' ? value : value.length)
  }

  /** Whether the store has the bytes, and this request does not. */
  get isOmitted(): boolean {
    return this.#bytes === null
  }

  /** @throws {NotLoadedError} The store has not been asked for them. */
  get bytes(): Uint8Array {
    if (this.#bytes === null) throw new NotLoadedError('A large value')
    return this.#bytes
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
