import { UndecodableError } from '../errors.ts'

/** Milliseconds from 1970 to 2000, where PostgreSQL begins to count. */
const EPOCH = 946_684_800_000

/**
 * Reads the byte strings of an answer from the first byte to the last, as PostgreSQL's `…send` functions wrote
 * them: far cheaper than columns of text, on both sides. Each method throws when there are not enough of them.
 */
export class AnswerBytes {
  readonly #rows: readonly string[]
  #nextRow = 0
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  /** @param rows - Base64, each row with whole values. */
  constructor(rows: readonly string[]) {
    this.#rows = rows
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length && this.#nextRow === this.#rows.length
  }

  /** Of `int4send`. */
  int(): number {
    const at = this.#advance(4)
    return this.#bytes.readInt32BE(at)
  }

  /** Of `boolsend`. */
  boolean(): boolean {
    const at = this.#advance(1)
    return this.#bytes[at] === 1
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
    const digits = this.#bytes.toString('hex', at, at + 16)
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`
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
    if (this.#at === this.#bytes.length && length > 0) this.#openRow()
    const at = this.#at
    if (length < 0 || at + length > this.#bytes.length)
      throw new UndecodableError('the answer is cut off')
    this.#at = at + length
    return at
  }

  #openRow(): void {
    this.#bytes = Buffer.from(this.#rows[this.#nextRow] ?? '', 'base64')
    this.#nextRow += 1
    this.#at = 0
  }
}
