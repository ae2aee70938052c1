import { NotLoadedError, UndecodableError } from '../errors.ts'
import { frozen } from './frozen-value.ts'

/**
 * What a value is read for: to keep it (`own`), or to look at it, in which case all readers get the same object.
 * A change in place of one that is `frozen` throws.
 */
export type ValueUse = 'own' | 'shared' | 'frozen'

/** An entry's value as bytes, decoded once, at first use. */
export class EntryValue {
  /** Bytes of the key and value together, as limits count them. */
  readonly size: number
  readonly #bytes: Uint8Array | null
  #shared: { readonly value: unknown } | null = null
  #isUndecodable = false

  /** @param value - Its bytes; or how many there are, while the store has not been asked for them. */
  constructor(value: Uint8Array | number, keySize: number) {
    this.#bytes = typeof value === 'number' ? null : value
    this.size = keySize + (typeof value === 'number' ? value : value.length)
  }

  /** Whether the store has the bytes, and this request does not. */
  get isOmitted(): boolean {
    return this.#bytes === null
  }

  /** Whether it turned out that the bytes are not the codec's. */
  get isUndecodable(): boolean {
    return this.#isUndecodable
  }

  /** @throws {NotLoadedError} The store has not been asked for them. */
  get bytes(): Uint8Array {
    if (this.#bytes === null) throw new NotLoadedError('A large value')
    return this.#bytes
  }

  /**
   * @param read - Gives the value of bytes: the codec, and the schema of the key if there is one.
   * @throws {UndecodableError} If the bytes are none of the codec's, or don't fit the schema.
   */
  decode(read: (bytes: Uint8Array) => unknown, use: ValueUse): unknown {
    if (use === 'own') return this.#decode(read)
    if (this.#shared === null) {
      const value = this.#decode(read)
      this.#shared = { value: use === 'frozen' ? frozen(value) : value }
    }
    return this.#shared.value
  }

  #decode(read: (bytes: Uint8Array) => unknown): unknown {
    try {
      return read(this.bytes)
    } catch (error) {
      this.#isUndecodable = error instanceof UndecodableError
      throw error
    }
  }
}
