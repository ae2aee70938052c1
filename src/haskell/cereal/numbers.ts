import { byOrder, type Cereal, cerealType } from './cereal.ts'
import type { CerealInput } from './cereal-input.ts'
import type { CerealOutput } from './cereal-output.ts'

/** `Int8`: a whole number from -128 to 127. */
export const int8: Cereal<number> = smallNumber('Int8', -0x80, 0x7f, {
  write: (output, value) => output.byte(value & 0xff),
  read: (input) => (input.byte() << 24) >> 24,
})

/** `Int16`: a whole number from -32768 to 32767. */
export const int16: Cereal<number> = smallNumber('Int16', -0x8000, 0x7fff, {
  write: (output, value) => output.uint16(value & 0xffff),
  read: (input) => (input.uint16() << 16) >> 16,
})

/** `Int32`: a whole number from -2147483648 to 2147483647. */
export const int32: Cereal<number> = smallNumber('Int32', -0x80000000, 0x7fffffff, {
  write: (output, value) => output.uint32(value >>> 0),
  read: (input) => input.int32(),
})

/** `Int64`: a bigint of 64 bits. */
export const int64: Cereal<bigint> = wideNumber('Int64', true)

/** `Int` of a 64-bit machine. */
export const int: Cereal<bigint> = wideNumber('Int', true)

/** `Word8`: a whole number from 0 to 255. */
export const word8: Cereal<number> = smallNumber('Word8', 0, 0xff, {
  write: (output, value) => output.byte(value),
  read: (input) => input.byte(),
})

/** `Word16`: a whole number from 0 to 65535. */
export const word16: Cereal<number> = smallNumber('Word16', 0, 0xffff, {
  write: (output, value) => output.uint16(value),
  read: (input) => input.uint16(),
})

/** `Word32`: a whole number from 0 to 4294967295. */
export const word32: Cereal<number> = smallNumber('Word32', 0, 0xffffffff, {
  write: (output, value) => output.uint32(value),
  read: (input) => input.uint32(),
})

/** `Word64`: a bigint of 64 bits without sign. */
export const word64: Cereal<bigint> = wideNumber('Word64', false)

/** `Word` of a 64-bit machine. */
export const word: Cereal<bigint> = wideNumber('Word', false)

/** `Double`: any number. Every `NaN` is written as the one that Haskell makes of 0/0. */
export const double: Cereal<number> = cerealType({
  name: 'Double',
  write(output, value) {
    refuseUnlessNumber(output, value)
    output.double(value)
  },
  read: (input) => input.double(),
  compare: byOrder,
})

/** `Float`: a number that 32 bits hold exactly, such as `Math.fround` gives. */
export const float: Cereal<number> = cerealType({
  name: 'Float',
  write(output, value) {
    refuseUnlessNumber(output, value)
    if (Math.fround(value) !== value && !Number.isNaN(value)) {
      output.refuse('is not a number of 32 bits: store Math.fround(value), or use a Double.')
    }
    output.float(value)
  },
  read: (input) => input.float(),
  compare: byOrder,
})

function refuseUnlessNumber(output: CerealOutput, value: unknown): void {
  if (typeof value !== 'number') output.refuse('must be a number.')
}

interface Format {
  write(output: CerealOutput, value: number): void
  read(input: CerealInput): number
}

function smallNumber(name: string, least: number, most: number, format: Format): Cereal<number> {
  return cerealType({
    name,
    write(output, value) {
      // -0 would come back as 0.
      const fits = Number.isInteger(value) && value >= least && value <= most
      if (!fits || Object.is(value, -0)) {
        output.refuse(`must be a whole number from ${least} to ${most}.`)
      }
      format.write(output, value)
    },
    read: (input) => format.read(input),
    compare: byOrder,
    range: { kind: 'number', least: BigInt(least), most: BigInt(most) },
  })
}

function wideNumber(name: string, isSigned: boolean): Cereal<bigint> {
  const least = isSigned ? -(2n ** 63n) : 0n
  const most = isSigned ? 2n ** 63n - 1n : 2n ** 64n - 1n
  return cerealType({
    name,
    write(output, value) {
      if (typeof value !== 'bigint' || value < least || value > most) {
        output.refuse(`must be a bigint from ${least} to ${most}.`)
      }
      output.uint64(BigInt.asUintN(64, value))
    },
    read: (input) => (isSigned ? input.int64() : input.uint64()),
    compare: byOrder,
    range: { kind: 'bigint', least, most },
  })
}
