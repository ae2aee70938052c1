import { UndecodableError } from '../../errors.ts'
import { DEEPEST_RECURSION, MOST_EMPTY_PARTS } from './cereal-limits.ts'

/** Bytes that are being decoded, read from front to back. Never reads past their end. */
export class CerealInput {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  #emptyPartsLeft: number = MOST_EMPTY_PARTS
  #depth = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byte(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2))
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4))
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4))
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#advance(8))
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#advance(8))
  }

  float(): number {
    return this.#view.getFloat32(this.#advance(4))
  }

  double(): number {
    return this.#view.getFloat64(this.#advance(8))
  }

  /** The next `length` bytes, in the memory that was passed in. */
  take(length: number): Uint8Array {
    const from = this.#advance(length)
    return this.#bytes.subarray(from, from + length)
  }

  /** Whether the next `length` bytes are all there and below 80 (hex), so that each is a character. */
  isAscii(length: number): boolean {
    if (length > this.#remaining) return false
    for (let at = this.#at; at < this.#at + length; at += 1) {
      if ((this.#bytes[at] as number) >= 0x80) return false
    }
    return true
  }

  /**
   * Reads a length and then that many parts.
   *
   * A length that the rest of the input cannot satisfy is refused before anything is read or reserved for
   * it. Parts that take no bytes are bounded in number, since an input of eight bytes may promise 2^64.
   */
  parts(read: (index: number) => void): void {
    const count = this.count()
    for (let index = 0; index < count; index += 1) {
      const before = this.#at
      read(index)
      if (this.#at === before) this.#spendEmptyPart()
    }
  }

  /** Reads the number of parts that follow. */
  count(): number {
    const count = this.uint64()
    if (count > BigInt(this.#remaining + this.#emptyPartsLeft)) this.#tooShort()
    return Number(count)
  }

  /** Reads one level further into a type that may hold itself. */
  nested<Value>(read: () => Value): Value {
    if (++this.#depth > DEEPEST_RECURSION) {
      this.fail(`are nested more than ${DEEPEST_RECURSION} levels deep.`)
    }
    const value = read()
    this.#depth -= 1
    return value
  }

  /** @throws {UndecodableError} Always. */
  fail(problem: string): never {
    throw new UndecodableError(`The stored bytes ${problem}`)
  }

  get #remaining(): number {
    return this.#bytes.length - this.#at
  }

  #advance(length: number): number {
    if (length > this.#remaining) this.#tooShort()
    const from = this.#at
    this.#at += length
    return from
  }

  #spendEmptyPart(): void {
    if (--this.#emptyPartsLeft < 0) {
      this.fail(`hold more than ${MOST_EMPTY_PARTS} parts that take no bytes.`)
    }
  }

  #tooShort(): never {
    this.fail('end before the value does.')
  }
}
