import { ConfigurationError } from '../../errors.ts'
import { byOrder, type Cereal, cerealType } from './cereal.ts'
import type { CerealInput } from './cereal-input.ts'
import { MOST_RATIO_BITS } from './cereal-limits.ts'
import { refuseUnlessObject } from './plain-object.ts'

/** A fraction in lowest terms, as Haskell keeps it: `-7 % 2`. The denominator is above zero. */
export interface Ratio<Whole extends number | bigint> {
  numerator: Whole
  denominator: Whole
}

const TOO_LARGE = 1n << BigInt(MOST_RATIO_BITS)

/**
 * `Ratio`, of `integer` for a `Rational` or of another type of whole numbers.
 *
 * A fraction that is not in lowest terms is refused, since it would come back otherwise; one that is read
 * is reduced. Either half has at most 4096 bits.
 *
 * @throws {ConfigurationError} The type is not one of whole numbers.
 * @example
 * ```ts
 * cereal.ratio(cereal.integer).encode({ numerator: 1n, denominator: 3n })
 * ```
 */
export function ratio<Whole extends number | bigint>(type: Cereal<Whole>): Cereal<Ratio<Whole>> {
  const { range } = type.parts
  if (range === undefined) {
    throw new ConfigurationError(
      `A ratio is made of whole numbers, and ${type.name} is none. Write cereal.ratio(cereal.integer), for one.`,
    )
  }
  // The range tells which of the two `Whole` is.
  const whole = (value: bigint): Whole => (range.kind === 'number' ? Number(value) : value) as Whole
  const fits = (value: bigint): boolean =>
    (range.least === null || value >= range.least) && (range.most === null || value <= range.most)

  return cerealType<Ratio<Whole>>({
    name: `Ratio ${type.name}`,
    write(output, value) {
      refuseUnlessObject(output, value, ['numerator', 'denominator'])
      const { numerator, denominator } = value
      output.at('numerator', () => type.parts.write(output, numerator))
      output.at('denominator', () => type.parts.write(output, denominator))
      const [above, below] = [BigInt(numerator), BigInt(denominator)]
      if (isTooLarge(above) || isTooLarge(below)) {
        output.refuse(`has more than ${MOST_RATIO_BITS} bits in one half.`)
      }
      if (below <= 0n || commonDivisor(above, below) !== 1n) {
        output.refuse('is not a fraction in lowest terms with a denominator above zero.')
      }
    },
    read(input) {
      const [above, below] = readReduced(input, type)
      if (!fits(above) || !fits(below)) input.fail(`hold a fraction beyond ${type.name}.`)
      return { numerator: whole(above), denominator: whole(below) }
    },
    compare: (a, b) =>
      byOrder(
        BigInt(a.numerator) * BigInt(b.denominator),
        BigInt(b.numerator) * BigInt(a.denominator),
      ),
  })
}

function readReduced(input: CerealInput, type: Cereal<number | bigint>): [bigint, bigint] {
  const above = BigInt(type.parts.read(input))
  const below = BigInt(type.parts.read(input))
  if (below === 0n) input.fail('hold a fraction whose denominator is zero.')
  if (isTooLarge(above) || isTooLarge(below)) {
    input.fail(`hold a fraction of more than ${MOST_RATIO_BITS} bits in one half.`)
  }
  const divisor = commonDivisor(above, below) * (below < 0n ? -1n : 1n)
  return [above / divisor, below / divisor]
}

function isTooLarge(half: bigint): boolean {
  return half >= TOO_LARGE || half <= -TOO_LARGE
}

/** The greatest common divisor, above zero unless both are zero. */
function commonDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a < 0n ? -a : a, b < 0n ? -b : b]
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller]
  return larger
}
