import { UndecodableError } from '../errors.ts'

/** Milliseconds from 1970 to 2000, where PostgreSQL begins to count. */
const EPOCH = 946_684_800_000

/**
 * Reads the bytes of an answer from the first to the last, as PostgreSQL's `…send` functions wrote them:
 * far cheaper than columns of text, on both sides. Each method throws when there are not enough of them.
 */
export class AnswerBytes {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Of `int4send`. */
  int(): number {
    return this.#bytes.readInt32BE(this.#advance(4))
  }

  /** Of `boolsend`. */
  boolean(): boolean {
    return this.#bytes.readInt8(this.#advance(1)) === 1
  }

  /** Of `int8send`. Exact below 2^53. */
  bigint(): number {
    const at = this.#advance(8)
    return this.#bytes.readInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4)
  }

  /** Of `timestamptz_send`: milliseconds since the epoch, exact until the year 2255. */
  time(): number {
    const microseconds = this.bigint()
    // The infinities are the greatest and the least integer.
    if (microseconds >= 2 ** 63) return Number.POSITIVE_INFINITY
    if (microseconds <= -(2 ** 63)) return Number.NEGATIVE_INFINITY
    return microseconds / 1000 + EPOCH
  }

  /** Of `uuid_send`. */
  uuid(): string {
    const at = this.#advance(16)
    const part = (from: number, to: number): string =>
      this.#bytes.toString('hex', at + from, at + to)
    return `${part(0, 4)}-${part(4, 6)}-${part(6, 8)}-${part(8, 10)}-${part(10, 16)}`
  }

  /** This many bytes, which stay a part of the answer. */
  take(length: number): Buffer {
    const at = this.#advance(length)
    return this.#bytes.subarray(at, this.#at)
  }

  /** A byte string after its length; null when that is negative. */
  sized(): Buffer | null {
    const length = this.int()
    return length < 0 ? null : this.take(length)
  }

  #advance(length: number): number {
    const at = this.#at
    if (length < 0 || at + length > this.#bytes.length)
      throw new UndecodableError('the answer is cut off')
    this.#at = at + length
    return at
  }
}
