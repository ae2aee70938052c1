import { InvalidValueError, UndecodableError } from 'pg-sessions'
import { type Cereal, cereal } from 'pg-sessions/haskell/cereal'
import { describe, expect, it } from 'vitest'

const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

type Chain = { type: 'End' } | { type: 'Link'; fields: [Chain] }
const chain: Cereal<Chain> = cereal.data({ End: [], Link: [cereal.lazy(() => chain)] })

function links(count: number): Chain {
  let value: Chain = { type: 'End' }
  for (let link = 0; link < count; link += 1) value = { type: 'Link', fields: [value] }
  return value
}

// A reader that believed the length would reserve memory, or loop, beyond the life of a test.
describe('a length that nothing stands behind', () => {
  const containers: Readonly<Record<string, Cereal<unknown>>> = {
    bytes: cereal.bytes,
    string: cereal.string,
    text: cereal.text,
    integers: cereal.list(cereal.int64),
    units: cereal.list(cereal.unit),
    'sequence of units': cereal.seq(cereal.tuple(cereal.unit, cereal.unit)),
    'map of units': cereal.map(cereal.unit, cereal.unit),
    'set of units': cereal.set(cereal.unit),
    'set of integers': cereal.intSet,
  }
  for (const [name, type] of Object.entries(containers)) {
    it.each(['7fffffffffffffff', '8000000000000000', 'ffffffffffffffff', '0000000100000000'])(
      `is refused at once: ${name}, %s`,
      (length) => {
        expect(() => type.decode(bytes(`${length}61`))).toThrow(UndecodableError)
      },
    )
  }

  it.each([
    ['Integer', cereal.integer, '01 01 ffffffffffffffff 05'],
    ['Natural', cereal.natural, '01 ffffffffffffffff 05'],
    ['Tree', cereal.tree(cereal.unit), '7fffffffffffffff'],
    ['Array', cereal.array(cereal.int, cereal.unit), `${'00'.repeat(15)}05 7fffffffffffffff`],
  ] as const)('is refused at once: %s', (_, type, hex) => {
    expect(() => (type as Cereal<unknown>).decode(bytes(hex))).toThrow(UndecodableError)
  })

  it('an array of 2^63 indexes without their elements is refused', () => {
    const type = cereal.array(cereal.int, cereal.bool)
    expect(() =>
      type.decode(bytes('0000000000000000 7fffffffffffffff 0000000000000001 01')),
    ).toThrow('lacks elements')
  })

  it('parts that take no bytes are bounded in number, in both directions alike', () => {
    const units = cereal.list(cereal.list(cereal.unit))
    const most = [
      Array.from({ length: 60_000 }, () => null),
      Array.from({ length: 40_000 }, () => null),
    ]
    expect(units.decode(units.encode(most))).toEqual(most)
    const written = units.encode(most)
    written[written.length - 1] = (written.at(-1) as number) + 1
    expect(() => units.decode(written)).toThrow(UndecodableError)
    most[1]?.push(null)
    expect(() => units.encode(most, 'basket')).toThrow(
      new InvalidValueError('basket[1]', 'has more than 100000 parts that take no bytes.').message,
    )
  })
})

describe('deep nesting', () => {
  it('is taken up to 500 levels, in both directions alike', () => {
    expect(chain.decode(chain.encode(links(499)))).toEqual(links(499))
    expect(() => chain.encode(links(501), 'basket')).toThrow(
      /^basket is nested more than 500 levels/,
    )
    expect(() => chain.decode(bytes(`${'01'.repeat(502)}00`))).toThrow(UndecodableError)
    expect(() => chain.decode(bytes('01'.repeat(1_000_000)))).toThrow(UndecodableError)
  })

  it('is bounded in trees', () => {
    const tree = cereal.tree(cereal.unit)
    expect(() => tree.decode(bytes('0000000000000001'.repeat(10_000)))).toThrow(UndecodableError)
  })

  it('a value that holds itself is refused', () => {
    const knot: Chain = { type: 'Link', fields: [{ type: 'End' }] }
    knot.fields[0] = knot
    expect(() => chain.encode(knot)).toThrow('or holds itself')
  })

  it('a type that is nothing but itself is refused, not followed for ever', () => {
    const self: Cereal<string> = cereal.lazy(() => self)
    expect(() => self.decode(bytes('01'))).toThrow(UndecodableError)
    expect(() => self.encode('a')).toThrow(InvalidValueError)
  })

  it('a type composed deeper than the stack is refused', () => {
    let type: Cereal<unknown> = cereal.word8
    for (let level = 0; level < 20_000; level += 1) type = cereal.list(type)
    expect(() => type.decode(bytes(`${'0000000000000001'.repeat(20_000)}01`))).toThrow(
      UndecodableError,
    )
  })
})

describe('numbers that take long', () => {
  it('a megabyte of digits is an Integer', () => {
    const digits = 2n ** 8_000_000n + 1n
    expect(cereal.integer.decode(cereal.integer.encode(digits)) === digits).toBe(true)
  })

  it('a fraction whose halves have more than 4096 bits is refused, since reducing it takes long', () => {
    const ratio = cereal.ratio(cereal.integer)
    const most = { numerator: 2n ** 4096n - 1n, denominator: 2n ** 4095n }
    expect(ratio.decode(ratio.encode(most))).toEqual(most)
    const beyond = { numerator: 1n, denominator: 2n ** 4096n }
    expect(() => ratio.encode(beyond, 'share')).toThrow(
      'share has more than 4096 bits in one half.',
    )
    const halves = [cereal.integer.encode(3n ** 200_000n), cereal.integer.encode(5n ** 200_000n)]
    expect(() => ratio.decode(Buffer.concat(halves))).toThrow(UndecodableError)
  })

  it.each([
    ['00000000 00000000', 'zero'],
    ['80000000 ffffffff', 'beyond Int32'],
  ])('a fraction that Haskell fails on, or gets wrong, is refused: %s', (hex, problem) => {
    expect(() => cereal.ratio(cereal.int32).decode(bytes(hex))).toThrow(problem)
  })

  it('a fraction with a minus below comes with it above', () => {
    expect(cereal.ratio(cereal.int32).decode(bytes('00000002 fffffffc'))).toEqual({
      numerator: -1,
      denominator: 2,
    })
  })
})

it('a value of more than 64 megabytes, shared parts counted each time, is refused', () => {
  const files = cereal.list(cereal.bytes)
  const file = new Uint8Array(2 ** 20)
  expect(() => files.encode(Array.from({ length: 64 }, () => file))).toThrow(
    'value[63] takes the value beyond 67108864 bytes.',
  )
})
