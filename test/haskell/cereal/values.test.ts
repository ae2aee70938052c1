import { ConfigurationError, InvalidValueError, UndecodableError } from 'pg-sessions'
import { type Cereal, type CerealValue, cereal } from 'pg-sessions/haskell/cereal'
import { describe, expect, expectTypeOf, it } from 'vitest'

const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

function refusal<Value>(type: Cereal<Value>, value: unknown): string {
  try {
    type.encode(value as Value, 'basket')
  } catch (error) {
    if (error instanceof InvalidValueError) return error.message
    throw error
  }
  return 'taken'
}

describe('types', () => {
  it('follow from the composition', () => {
    const scores = cereal.map(cereal.string, cereal.list(cereal.int64))
    expectTypeOf(scores).toEqualTypeOf<Cereal<Map<string, bigint[]>>>()
    const user = cereal.record({
      id: cereal.word,
      name: cereal.maybe(cereal.text),
      age: cereal.int8,
    })
    expectTypeOf<CerealValue<typeof user>>().toEqualTypeOf<{
      id: bigint
      name: string | null
      age: number
    }>()
    const both = cereal.tuple(cereal.bool, cereal.bytes, cereal.unit)
    expectTypeOf<CerealValue<typeof both>>().toEqualTypeOf<[boolean, Uint8Array, null]>()
    const either = cereal.either(cereal.char, cereal.double)
    expectTypeOf<CerealValue<typeof either>>().toEqualTypeOf<{ left: string } | { right: number }>()
    const nested = cereal.maybe(cereal.maybe(cereal.bool))
    expectTypeOf<CerealValue<typeof nested>>().toEqualTypeOf<{ just: boolean | null } | null>()
    const half = cereal.ratio(cereal.integer)
    expectTypeOf<CerealValue<typeof half>>().toEqualTypeOf<{
      numerator: bigint
      denominator: bigint
    }>()
    expectTypeOf(cereal.enumeration('Red', 'Green')).toEqualTypeOf<Cereal<'Red' | 'Green'>>()
    expectTypeOf(cereal.ordering).toEqualTypeOf<Cereal<'LT' | 'EQ' | 'GT'>>()
    expectTypeOf(cereal.set(cereal.natural)).toEqualTypeOf<Cereal<Set<bigint>>>()
  })

  it('follow from the constructors of a data type', () => {
    const shape = cereal.data({
      Circle: { radius: cereal.double },
      Named: [cereal.string, cereal.maybe(cereal.bool)],
      Nowhere: [],
    })
    expectTypeOf<CerealValue<typeof shape>>().toEqualTypeOf<
      | { type: 'Circle'; radius: number }
      | { type: 'Named'; fields: [string, boolean | null] }
      | { type: 'Nowhere' }
    >()
    expect(shape.decode(shape.encode({ type: 'Nowhere' }))).toEqual({ type: 'Nowhere' })
  })

  it('follow from a conversion', () => {
    const time = cereal.convert(
      cereal.int64,
      (date: Date) => BigInt(date.getTime()),
      (stored) => new Date(Number(stored)),
    )
    expectTypeOf(time).toEqualTypeOf<Cereal<Date>>()
    const times = cereal.map(time, cereal.string)
    const value = new Map([
      [new Date(5), 'b'],
      [new Date(-5), 'a'],
    ])
    expect([...times.decode(times.encode(value))]).toEqual([
      [new Date(-5), 'a'],
      [new Date(5), 'b'],
    ])
    expect(refusal(time, new Date(Number.NaN))).toBe('basket cannot be turned into Int64.')
  })
})

describe('a value that would come back otherwise is refused, and its place named', () => {
  const nested = cereal.map(cereal.string, cereal.list(cereal.record({ 'odd key': cereal.int8 })))

  it.each<[string, Cereal<unknown>, unknown]>([
    ['basket must be a whole number from -128 to 127.', cereal.int8, 128],
    ['basket must be a whole number from 0 to 255.', cereal.word8, -1],
    ['basket must be a whole number from 0 to 255.', cereal.word8, 1.5],
    ['basket must be a whole number from 0 to 255.', cereal.word8, -0],
    ['basket must be a whole number from 0 to 255.', cereal.word8, 5n],
    [
      'basket must be a bigint from -9223372036854775808 to 9223372036854775807.',
      cereal.int64,
      2n ** 63n,
    ],
    ['basket must be a bigint from 0 to 18446744073709551615.', cereal.word64, 7],
    ['basket must be a bigint.', cereal.integer, 7],
    ['basket must be a bigint from 0.', cereal.natural, -1n],
    [
      'basket is not a number of 32 bits: store Math.fround(value), or use a Double.',
      cereal.float,
      0.1,
    ],
    ['basket must be a number.', cereal.double, '1'],
    ['basket must be a string of one code point.', cereal.char, ''],
    ['basket must be a string of one code point.', cereal.char, 'ab'],
    ['basket must be a string.', cereal.string, null],
    ['basket holds half of a surrogate pair, which no Text can.', cereal.text, '\ud800'],
    ['basket holds half of a surrogate pair, which no Text can.', cereal.textAsString, '\udc00'],
    ['basket must be a Uint8Array.', cereal.bytes, 'text'],
    ['basket must be true or false.', cereal.bool, 1],
    ['basket must be null.', cereal.unit, undefined],
    ['basket must be one of the names of 3.', cereal.ordering, 'NE'],
    ['basket must be an array.', cereal.list(cereal.unit), 'ab'],
    ['basket must be an array of 2.', cereal.tuple(cereal.bool, cereal.bool), [true]],
    ['basket must be a Map.', nested, {}],
    [
      'basket.keys()[1] must be a string.',
      nested,
      new Map<unknown, unknown>([
        ['a', []],
        [5, []],
      ]),
    ],
    [
      'basket.keys()[0].get("a")[0]["odd key"] must be a whole number from -128 to 127.',
      nested,
      new Map([['a', [{ 'odd key': 1000 }]]]),
    ],
    ['basket.id is missing.', cereal.record({ id: cereal.int8 }), {}],
    [
      'basket.more is a property that the type has not, and would be left out.',
      cereal.record({ id: cereal.int8 }),
      { id: 1, more: 2 },
    ],
    ['basket must be a plain object.', cereal.record({}), new Date()],
    ['basket must be a plain object.', cereal.record({}), Object.create(null)],
    [
      'basket is not a fraction in lowest terms with a denominator above zero.',
      cereal.ratio(cereal.integer),
      { numerator: 2n, denominator: 4n },
    ],
    [
      'basket.values()[1] is equal to another one.',
      cereal.set(cereal.tuple(cereal.word8)),
      new Set([[1], [1]]),
    ],
    [
      'basket.elements must have as many elements as there are indexes.',
      cereal.array(cereal.int8, cereal.bool),
      { lower: 0, upper: 1, elements: [true] },
    ],
    [
      'basket must be an object whose type is a constructor.',
      cereal.data({ A: [], B: [] }),
      { type: 'toString' },
    ],
    [
      'basket.just must be true or false.',
      cereal.maybe(cereal.maybe(cereal.bool)),
      { just: 'yes' },
    ],
  ])('%s', (message, type, value) => {
    expect(refusal(type, value)).toBe(message)
  })

  it('also where reading it fails', () => {
    const trap = {
      get id(): number {
        throw new TypeError('secret')
      },
    }
    expect(refusal(cereal.record({ id: cereal.int8 }), trap)).toMatch(/^basket cannot be read/)
    expect(refusal(cereal.either(cereal.unit, cereal.unit), null)).toMatch(/^basket cannot be read/)
  })
})

describe('strings', () => {
  it('count code points, and keep halves of surrogate pairs', () => {
    expect(Buffer.from(cereal.string.encode('😀\ud800')).toString('hex')).toBe(
      '0000000000000002f09f9880eda080',
    )
    expect(cereal.string.decode(bytes('0000000000000001 edb080'))).toBe('\udc00')
  })

  it('do not decode where JavaScript would fuse two characters into one', () => {
    expect(() => cereal.string.decode(bytes('0000000000000002 eda0bd edb880'))).toThrow(
      UndecodableError,
    )
  })

  it('a Text has U+FFFD for half of a surrogate pair, as Haskell’s pack makes it', () => {
    expect(cereal.textAsString.decode(bytes('0000000000000002 eda0bd edb880'))).toBe('\ufffd\ufffd')
    expect(() => cereal.text.decode(bytes('0000000000000003 eda0bd'))).toThrow(UndecodableError)
  })

  it('are ordered by code points, not by UTF-16 units', () => {
    const texts = ['\u{1f600}', '\uffff', '\ud800', 'z', '', '\ud83dz', '\ud83d', '\udfff']
    const points = (text: string): string =>
      [...text].map((each) => (each.codePointAt(0) as number).toString(16).padStart(6, '0')).join()
    const sorted = [...texts].sort((a, b) => (points(a) < points(b) ? -1 : 1))
    expect([
      ...cereal.set(cereal.string).decode(cereal.set(cereal.string).encode(new Set(texts))),
    ]).toEqual(sorted)
  })

  it('bytes are a copy, which shares no memory with what was read', () => {
    const read = bytes('0000000000000001 61')
    const decoded = cereal.bytes.decode(read)
    read[8] = 0
    expect(decoded).toEqual(new Uint8Array([0x61]))
    expect(decoded.buffer.byteLength).toBe(1)
  })
})

describe('maps and sets', () => {
  it('two NaN, which Haskell holds beside each other, do not decode', () => {
    const nan = '7ff8000000000000'
    expect(() => cereal.set(cereal.double).decode(bytes(`0000000000000002 ${nan} ${nan}`))).toThrow(
      UndecodableError,
    )
    expect(cereal.set(cereal.double).decode(bytes(`0000000000000001 ${nan}`))).toEqual(
      new Set([Number.NaN]),
    )
  })

  it('of keys that are equal to Haskell the last one counts, objects included', () => {
    const type = cereal.map(cereal.tuple(cereal.word8), cereal.word8)
    expect([...type.decode(bytes('0000000000000003 0201 0102 0103'))]).toEqual([
      [[1], 3],
      [[2], 1],
    ])
  })
})

describe('types that cannot be', () => {
  it.each<[string, () => unknown]>([
    ['whole numbers', () => cereal.ratio(cereal.double)],
    ['whole numbers', () => cereal.array(cereal.double, cereal.bool)],
    ['Haskell does not store names', () => cereal.record({ 1: cereal.bool })],
    ['Haskell does not store names', () => cereal.record({ ['__proto__']: cereal.bool })],
    ["called 'type'", () => cereal.data({ A: { type: cereal.bool } })],
    ['at least one constructor', () => cereal.data({})],
    ['stands twice', () => cereal.enumeration('A', 'A')],
  ])('are refused when they are made: %s', (message, make) => {
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(message)
  })
})
