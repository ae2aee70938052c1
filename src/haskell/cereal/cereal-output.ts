import { type PathStep, pathTo } from '../../codec/value-path.ts'
import { InvalidValueError } from '../../errors.ts'
import { DEEPEST_RECURSION, LARGEST_VALUE, MOST_EMPTY_PARTS } from './cereal-limits.ts'

const FIRST_CAPACITY = 64

/** Bytes that are being encoded, and where in the value the encoder is. */
export class CerealOutput {
  readonly #root: string
  readonly #steps: PathStep[] = []
  #bytes = new Uint8Array(FIRST_CAPACITY)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  #emptyPartsLeft: number = MOST_EMPTY_PARTS
  #depth = 0

  /** @param root - How messages call the value. */
  constructor(root: string) {
    this.#root = root
  }

  byte(value: number): void {
    const at = this.#grow(1)
    this.#view.setUint8(at, value)
  }

  uint16(value: number): void {
    const at = this.#grow(2)
    this.#view.setUint16(at, value)
  }

  uint32(value: number): void {
    const at = this.#grow(4)
    this.#view.setUint32(at, value)
  }

  uint64(value: bigint): void {
    const at = this.#grow(8)
    this.#view.setBigUint64(at, value)
  }

  float(value: number): void {
    // The sign bit is set in the NaN that Haskell writes, and clear in that of JavaScript.
    if (Number.isNaN(value)) return this.uint32(0xffc00000)
    const at = this.#grow(4)
    this.#view.setFloat32(at, value)
  }

  double(value: number): void {
    if (Number.isNaN(value)) return this.uint64(0xfff8000000000000n)
    const at = this.#grow(8)
    this.#view.setFloat64(at, value)
  }

  bytes(value: Uint8Array): void {
    const from = this.#grow(value.length)
    this.#bytes.set(value, from)
  }

  /** Writes the number of parts that follow. */
  count(count: number): void {
    this.uint64(BigInt(count))
  }

  /** Writes a number of parts and then each, at the place that `step` gives. */
  parts<Part>(
    parts: readonly Part[],
    step: (index: number) => PathStep,
    write: (part: Part, index: number) => void,
  ): void {
    this.count(parts.length)
    // Not `forEach`, which would pass over the holes of a sparse array.
    for (let index = 0; index < parts.length; index += 1) {
      const before = this.#length
      this.at(step(index), () => write(parts[index] as Part, index))
      if (this.#length === before) this.#spendEmptyPart()
    }
  }

  /** Writes what lies one step further in. */
  at(step: PathStep, write: () => void): void {
    this.#steps.push(step)
    write()
    this.#steps.pop()
  }

  /** Finds out whether something can be written, and leaves nothing of it. */
  check(write: () => void): void {
    const [length, emptyPartsLeft] = [this.#length, this.#emptyPartsLeft]
    write()
    this.#length = length
    this.#emptyPartsLeft = emptyPartsLeft
  }

  /** Writes one level further into a type that may hold itself. */
  nested(write: () => void): void {
    if (++this.#depth > DEEPEST_RECURSION) {
      this.#steps.length = 0
      this.refuse(`is nested more than ${DEEPEST_RECURSION} levels deep, or holds itself.`)
    }
    write()
    this.#depth -= 1
  }

  /** @throws {InvalidValueError} Always; names the place that is being written. */
  refuse(problem: string): never {
    throw new InvalidValueError(pathTo(this.#root, this.#steps), problem)
  }

  /** A copy, as long as what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #grow(length: number): number {
    const from = this.#length
    const needed = from + length
    if (needed > LARGEST_VALUE) this.refuse(`takes the value beyond ${LARGEST_VALUE} bytes.`)
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
      larger.set(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    this.#length = needed
    return from
  }

  #spendEmptyPart(): void {
    if (--this.#emptyPartsLeft < 0) {
      this.refuse(`has more than ${MOST_EMPTY_PARTS} parts that take no bytes.`)
    }
  }
}
