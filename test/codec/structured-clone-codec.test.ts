import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { structuredCloneCodec } from '../../src/codec/structured-clone-codec.ts'
import { InvalidValueError, UndecodableError } from '../../src/errors.ts'
import { anything } from './anything.ts'
import { nested, refusal } from './refusal.ts'

const bytes = (written: string): Uint8Array => new TextEncoder().encode(written)
const roundTrip = (value: unknown): unknown =>
  structuredCloneCodec.decode(structuredCloneCodec.encode(value, 'basket'))

describe('structuredCloneCodec', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an object', { a: undefined }],
    ['NaN', Number.NaN],
    ['-0', [-0, 0]],
    ['Infinity', [Infinity, -Infinity]],
    ['a bigint', 2n ** 200n],
    ['a negative bigint', { total: -1n }],
    ['a Date', new Date('2024-02-29T12:34:56.789Z')],
    ['a Date far away', [new Date(8.64e15), new Date(-8.64e15)]],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ b: 1 }, new Map()],
        [Number.NaN, 2],
      ]),
    ],
    ['a Set', new Set<unknown>([1, 'a', new Set(), undefined])],
    ['a RegExp', /a\/b"\n[\u2028]/giu],
    ['an empty RegExp', /(?:)/],
    ['a sparse array', [1, , 3, , ,]],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a typed array', Float64Array.of(1.5, -0, Number.NaN, Infinity)],
    ['big integers', BigInt64Array.of(-1n, 2n ** 62n)],
    ['bytes', { digest: Uint8Array.of(0, 127, 255) }],
    ['an empty typed array', new Uint16Array(0)],
    ['an ArrayBuffer', Uint8Array.of(1, 2, 3).buffer],
    ['a DataView', new DataView(Uint8Array.of(1, 2, 3).buffer)],
    ['halves of surrogate pairs', { 'k\ud800': '\udc00x\ud800' }],
    ['names of every object', { constructor: 1, prototype: 2, toString: 3, then: 4, length: 5 }],
    ['a plain object called by a class', { Date: ['Date', 'x'], null: ['null'] }],
  ])('gives back %s as it was', (_, value) => {
    deepStrictEqual(roundTrip(value), value)
  })

  it('gives back an invalid Date', () => {
    expect(roundTrip({ when: new Date(Number.NaN) })).toStrictEqual({ when: new Date(Number.NaN) })
  })

  it('gives back cycles and shared objects as such', () => {
    const user = { name: 'Ann', friends: new Set<unknown>() }
    user.friends.add(user)
    const back = roundTrip({ first: user, second: user }) as {
      first: typeof user
      second: typeof user
    }
    expect(back.first).toBe(back.second)
    expect(back.first.friends.has(back.first)).toBe(true)
    const buffer = new ArrayBuffer(8)
    const views = roundTrip([new Uint8Array(buffer), new Uint32Array(buffer)]) as [
      Uint8Array,
      Uint32Array,
    ]
    expect(views[0].buffer).toBe(views[1].buffer)
  })

  it('keeps sparse arrays without going through their length', () => {
    const sparse: unknown[] = []
    sparse[4_000_000_000] = 'tea'
    const back = roundTrip(sparse) as unknown[]
    expect(back.length).toBe(sparse.length)
    expect(Object.entries(back)).toEqual([['4000000000', 'tea']])
  })

  it('gives back anything as it was, or refuses it and names where', () => {
    fc.assert(
      fc.property(anything, (value) => {
        let encoded: Uint8Array
        try {
          encoded = structuredCloneCodec.encode(value, 'basket')
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidValueError)
          expect((error as InvalidValueError).path).toMatch(/^basket/)
          return
        }
        // Two invalid dates are unlike each other to deepStrictEqual.
        fc.pre(!new TextDecoder().decode(encoded).includes('["Date",""]'))
        deepStrictEqual(structuredCloneCodec.decode(encoded), value)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('structuredCloneCodec refuses', () => {
  class Price {
    amount = 1
  }
  const used = /a/g
  used.test('a')
  const ownProto: unknown = JSON.parse('{"a":{"__proto__":{"admin":true}}}')

  it.each<[string, unknown, string, RegExp]>([
    ['a function', { run: () => 1 }, 'basket.run', /is a function/],
    ['a function in a Map', new Map([['run now', () => 1]]), 'basket.get("run now")', /function/],
    ['a function as a key', new Map([[() => 1, 1]]), 'basket.keys()[0]', /function/],
    ['a function in a Set', { s: new Set([1, () => 1]) }, 'basket.s.values()[1]', /function/],
    ['a symbol', [Symbol('x')], 'basket[0]', /is a symbol/],
    ['a symbol for a key', { a: { [Symbol('x')]: 1 } }, 'basket.a', /symbol for a key/],
    ['an instance of a class', { p: [new Price()] }, 'basket.p[0]', /is a Price/],
    ['a Map of a class', new (class Basket extends Map {})(), 'basket', /is a Basket/],
    ['a Set of a class', new (class Tags extends Set {})(), 'basket', /is a Tags/],
    ['a RegExp of a class', new (class Pattern extends RegExp {})('a'), 'basket', /is a Pattern/],
    ['a Buffer', { b: Buffer.from('x') }, 'basket.b', /is a Buffer/],
    ['an Error', new TypeError('secret'), 'basket', /is a TypeError(?!.*secret)/],
    ['a Promise', { p: Promise.resolve(1) }, 'basket.p', /is a Promise/],
    ['a URL', new URL('http://localhost'), 'basket', /is a URL/],
    ['a boxed number', [Object(1)], 'basket[0]', /is a Number/],
    ['a pretended Date', { when: Object.create(Date.prototype) }, 'basket.when', /cannot be read/],
    ['a pretended Map', { m: Object.create(Map.prototype) }, 'basket', /cannot be read/],
    ['a property of a Date', Object.assign(new Date(0), { zone: 'UTC' }), 'basket', /properties/],
    ['a property of a Map', Object.assign(new Map(), { a: 1 }), 'basket', /properties/],
    ['a property of a Set', Object.assign(new Set(), { a: 1 }), 'basket', /properties/],
    ['a property of a RegExp', Object.assign(/a/, { a: 1 }), 'basket', /properties/],
    ['a property of a buffer', Object.assign(new ArrayBuffer(1), { a: 1 }), 'basket', /properties/],
    [
      'a property of the buffer of a view',
      new Uint8Array(Object.assign(new ArrayBuffer(1), { a: 1 })),
      'basket',
      /properties/,
    ],
    ['a property of an array', Object.assign([1], { a: 1 }), 'basket.a', /property of an array/],
    ['a RegExp in use', { used }, 'basket.used', /lastIndex/],
    [
      'a getter',
      {
        get total() {
          return 1
        },
      },
      'basket.total',
      /getter/,
    ],
    ['a hidden property', Object.defineProperty({}, 'id', { value: 1 }), 'basket.id', /hidden/],
    ['an own __proto__', ownProto, 'basket.a.__proto__', /rename it/],
    ['a view of a part', new Uint8Array(9).subarray(1, 3), 'basket', /part of a larger buffer/],
    [
      'a view of shared memory',
      new Uint8Array(new SharedArrayBuffer(1)),
      'basket',
      /shared memory/,
    ],
    ['shared memory', new SharedArrayBuffer(1), 'basket', /is a SharedArrayBuffer/],
    [
      'a symbol on a view',
      Object.assign(new Uint8Array(1), { [Symbol('x')]: 1 }),
      'basket',
      /symbol/,
    ],
  ])('%s', (_, value, path, message) => {
    const error = refusal(structuredCloneCodec, value)
    expect(error.path).toBe(path)
    expect(error.message).toMatch(message)
  })

  it('a resizable buffer and a detached one', () => {
    const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [2, { maxByteLength: 8 }])
    expect(refusal(structuredCloneCodec, resizable).message).toMatch(/resizable/)
    expect(refusal(structuredCloneCodec, new Uint8Array(resizable)).message).toMatch(/resizable/)
    const detached = new ArrayBuffer(8)
    structuredClone(detached, { transfer: [detached] })
    expect(refusal(structuredCloneCodec, { detached }).message).toMatch(/cannot be read/)
  })

  it('more than 100 levels of nesting without running out of stack', () => {
    deepStrictEqual(roundTrip(nested(100)), nested(100))
    for (const levels of [101, 50_000]) {
      expect(refusal(structuredCloneCodec, nested(levels)).message).toMatch(/more than 100 levels/)
    }
  })
})

describe('structuredCloneCodec decodes', () => {
  const unreadable = (written: string): void => {
    expect(() => structuredCloneCodec.decode(bytes(written))).toThrow(UndecodableError)
  }

  it.each([
    '',
    '[]',
    '{}',
    '1',
    '-2',
    '-7',
    '"a"',
    'null',
    '[[1]]',
    '[[9]]',
    '["a"',
    '\ufeff[1]',
    '[["Nothing",1]]',
    '[["Date"]',
    '[["RegExp","("]]',
    '[["RegExp","a","xx"]]',
    '[["BigInt","1.5"]]',
    '[["Uint8Array",1],["Uint8Array",0]]',
    '[["Uint8Array",1],1000000000]',
    '[["Uint8Array",1,0,1000000000],["ArrayBuffer","AAAA"]]',
    '[["Object",0]]',
    '[[-7,-1]]',
    '[[-7,2,5,1],1]',
    '[["Map",1]]',
    '[["URL","x"]]',
    '[["Temporal.Instant","x"]]',
  ])('%s to a value or to UndecodableError, never to another error', (written) => {
    try {
      structuredCloneCodec.decode(bytes(written))
    } catch (error) {
      expect(error).toBeInstanceOf(UndecodableError)
      expect((error as Error).cause).toBeUndefined()
    }
  })

  it('no __proto__, in no disguise', () => {
    unreadable('[{"__proto__":1},{"admin":2},true]')
    unreadable('[{"a":1},{"\\u005f_proto__":2},{"admin":3},true]')
    unreadable('[["null","__proto__",1],{"admin":2},true]')
    structuredCloneCodec.decode(bytes('[{"constructor":1},{"prototype":2},{"admin":3},true]'))
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(12)
  })

  it('a chain of 200 000 references without running out of stack', () => {
    unreadable(`[${Array.from({ length: 200_000 }, (_, index) => `[${index + 1}]`).join()},1]`)
  })

  it('doubling references in proportion to the text, not to what they unfold to', () => {
    const chain = Array.from({ length: 200 }, (_, index) => `[${index + 1},${index + 1}]`)
    const value = structuredCloneCodec.decode(bytes(`[${chain.join()},1]`)) as unknown[]
    expect(value[0]).toBe(value[1])
  })

  it('any bytes to a value, or says that they are none', () => {
    const marks = fc.constantFrom(
      ...[
        '[',
        ']',
        '{',
        '}',
        ',',
        ':',
        '"',
        '-1',
        '-2',
        '-6',
        '-7',
        '0',
        '1',
        '2',
        '1e9',
        'null',
        '"a"',
      ],
      ...[
        '"Date"',
        '"Map"',
        '"Set"',
        '"null"',
        '"Object"',
        '"BigInt"',
        '"RegExp"',
        '"ArrayBuffer"',
      ],
      ...['"Uint8Array"', '"DataView"', '"__proto__"', '"URLSearchParams"', '"AAAA"'],
    )
    const leaf = fc.oneof(fc.integer({ min: -8, max: 6 }), fc.string(), fc.constant('Map'))
    const table = fc.array(
      fc.oneof(
        leaf,
        fc.tuple(
          marks.map((mark) => mark.replaceAll('"', '')),
          leaf,
          leaf,
        ),
        fc.array(leaf),
        fc.dictionary(fc.string(), leaf),
      ),
    )
    const anyBytes = fc.oneof(
      fc.uint8Array(),
      fc.array(marks).map((parts) => bytes(parts.join(''))),
      table.map((rows) => bytes(JSON.stringify(rows))),
    )
    fc.assert(
      fc.property(anyBytes, (stored) => {
        try {
          structuredCloneCodec.decode(stored)
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableError)
        }
      }),
      { numRuns: 3000 },
    )
  })
})
