import { byOrder, type Cereal, cerealType } from './cereal.ts'
import type { CerealInput } from './cereal-input.ts'
import type { CerealOutput } from './cereal-output.ts'

const SMALL = 0
const BIG = 1
const POSITIVE = 0x01
const NEGATIVE = 0xff

/** Well below where the engine's own bound for a bigint lies. */
const MOST_BYTES = 2 ** 23

/** `Integer`: a bigint of any size up to eight megabytes. */
export const integer: Cereal<bigint> = cerealType({
  name: 'Integer',
  write(output, value) {
    refuseUnlessBigint(output, value)
    if (BigInt.asIntN(32, value) === value) {
      output.byte(SMALL)
      output.uint32(Number(BigInt.asUintN(32, value)))
      return
    }
    output.byte(BIG)
    output.byte(value < 0n ? NEGATIVE : POSITIVE)
    writeMagnitude(output, value < 0n ? -value : value)
  },
  // Haskell takes any tag but 0 for the big form, and any sign but 1 for minus.
  read(input) {
    if (input.byte() === SMALL) return BigInt(input.int32())
    const isNegative = input.byte() !== POSITIVE
    const magnitude = readMagnitude(input)
    return isNegative ? -magnitude : magnitude
  },
  compare: byOrder,
  range: { kind: 'bigint', least: null, most: null },
})

/** `Natural`: a bigint from 0, of up to eight megabytes. */
export const natural: Cereal<bigint> = cerealType({
  name: 'Natural',
  write(output, value) {
    refuseUnlessBigint(output, value)
    if (value < 0n) output.refuse('must be a bigint from 0.')
    if (BigInt.asUintN(64, value) === value) {
      output.byte(SMALL)
      output.uint64(value)
      return
    }
    output.byte(BIG)
    writeMagnitude(output, value)
  },
  read: (input) => (input.byte() === SMALL ? input.uint64() : readMagnitude(input)),
  compare: byOrder,
  range: { kind: 'bigint', least: 0n, most: null },
})

function refuseUnlessBigint(output: CerealOutput, value: unknown): void {
  if (typeof value !== 'bigint') output.refuse('must be a bigint.')
}

/** A list of bytes, the least significant first. Zeros at its end change nothing. */
function writeMagnitude(output: CerealOutput, magnitude: bigint): void {
  const digits = magnitude.toString(16)
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  if (bytes.length > MOST_BYTES) output.refuse(`has more than ${MOST_BYTES} bytes.`)
  output.count(bytes.length)
  output.bytes(bytes.reverse())
}

function readMagnitude(input: CerealInput): bigint {
  const bytes = Buffer.from(input.take(input.count()))
  if (bytes.length > MOST_BYTES) input.fail(`hold a number of more than ${MOST_BYTES} bytes.`)
  return BigInt(`0x0${bytes.reverse().toString('hex')}`)
}
