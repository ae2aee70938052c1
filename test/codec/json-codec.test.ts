import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonCodec } from '../../src/codec/json-codec.ts'
import { structuredCloneCodec } from '../../src/codec/structured-clone-codec.ts'
import { InvalidValueError, UndecodableError } from '../../src/errors.ts'
import { anything } from './anything.ts'
import { nested, refusal } from './refusal.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const bytes = (written: string): Uint8Array => new TextEncoder().encode(written)
const roundTrip = (value: unknown): unknown => jsonCodec.decode(jsonCodec.encode(value, 'basket'))

describe('jsonCodec', () => {
  it('stores the JSON text that JSON.stringify writes, in UTF-8', () => {
    const value = { items: [{ sku: 'tea', price: 3.5 }], note: 'grün 🍵', gift: null }
    expect(text(jsonCodec.encode(value, 'basket'))).toBe(JSON.stringify(value))
  })

  it.each<[unknown]>([
    [['', 0, 1e21, 5e-324, Number.MAX_SAFE_INTEGER, true, false, null]],
    [[]],
    [{}],
    ['\0'],
    ['\ufefftea'],
    ['🍵'],
    [{ a: { b: [[], {}, [{}]] } }],
    [{ constructor: 1, prototype: 2, toString: 3, toJSON: 4, length: 5, '': 6 }],
  ])('gives back %j as it was', (value) => {
    deepStrictEqual(roundTrip(value), value)
  })

  it('gives back whatever JSON can hold', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        // jsonValue may give -0, which JSON text keeps but JSON.stringify does not.
        fc.pre(!JSON.stringify(value, markNegativeZero).includes('"-0"'))
        deepStrictEqual(roundTrip(value), value)
      }),
    )
  })

  it('gives back anything as it was, or refuses it and names where', () => {
    fc.assert(
      fc.property(anything, (value) => {
        let encoded: Uint8Array
        try {
          encoded = jsonCodec.encode(value, 'basket')
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidValueError)
          expect((error as InvalidValueError).path).toMatch(/^basket/)
          return
        }
        deepStrictEqual(jsonCodec.decode(encoded), value)
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps an own __proto__ as a plain key and sets no prototype', () => {
    const value: unknown = JSON.parse('{"__proto__":{"admin":true},"a":1}')
    const back = roundTrip(value)
    expect(Object.keys(back as object)).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect((back as { admin?: boolean }).admin).toBeUndefined()
    deepStrictEqual(back, value)
  })

  it('gives an object that stands in two places back as two equal ones', () => {
    const shared = { sku: 'tea' }
    expect(roundTrip({ first: shared, second: shared })).toEqual({ first: shared, second: shared })
  })
})

describe('jsonCodec refuses', () => {
  class Price {
    amount = 1
  }
  const cycle: { items: unknown[] } = { items: [] }
  cycle.items.push({ back: cycle })
  const match = /t(e)a/.exec('tea')

  it.each<[string, unknown, string, RegExp]>([
    ['undefined', undefined, 'basket', /is undefined/],
    ['undefined in an object', { note: undefined }, 'basket.note', /is undefined/],
    ['undefined in an array', { items: [1, undefined] }, 'basket.items[1]', /is undefined/],
    ['a function', { items: [{ run: () => 1 }] }, 'basket.items[0].run', /is a function/],
    ['a toJSON method', { toJSON: () => 1 }, 'basket.toJSON', /is a function/],
    ['a symbol', [Symbol('x')], 'basket[0]', /is a symbol/],
    ['a bigint', { total: 1n }, 'basket.total', /is a bigint/],
    ['NaN', { price: Number.NaN }, 'basket.price', /is NaN/],
    ['Infinity', [[-Infinity]], 'basket[0][0]', /is -Infinity/],
    ['-0', { price: -0 }, 'basket.price', /is -0/],
    ['a Date', { when: new Date(0) }, 'basket.when', /is a Date/],
    ['a Map', new Map(), 'basket', /is a Map/],
    ['a Set', { a: new Set() }, 'basket.a', /is a Set/],
    ['a RegExp', /x/, 'basket', /is a RegExp/],
    ['a typed array', { a: new Uint8Array(2) }, 'basket.a', /is a Uint8Array/],
    ['an Error', new TypeError('secret'), 'basket', /is a TypeError(?!.*secret)/],
    ['a boxed number', [Object(1)], 'basket[0]', /is a Number/],
    ['an instance of a class', { p: new Price() }, 'basket.p', /is a Price/],
    ['an array of a class', new (class List extends Array {})(), 'basket', /is a List/],
    ['an object that inherits', Object.create({ a: 1 }), 'basket', /prototype of its own/],
    ['an object without a prototype', { q: Object.create(null) }, 'basket.q', /no prototype/],
    ['an empty slot', { items: [1, , 3] }, 'basket.items', /no element 1/],
    ['a property of an array', { match }, 'basket.match.groups', /property of an array/],
    ['an odd property of an array', Object.assign([1, 2], { '01': 1 }), 'basket["01"]', /property/],
    ['a symbol for a key', { a: { [Symbol('x')]: 1 } }, 'basket.a', /symbol for a key/],
    [
      'a symbol on an array',
      { a: Object.assign([], { [Symbol.iterator]: 1 }) },
      'basket.a',
      /symbol/,
    ],
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
    ['a setter', { set total(_: number) {} }, 'basket.total', /setter/],
    ['a hidden property', Object.defineProperty({}, 'id', { value: 1 }), 'basket.id', /hidden/],
    ['a cycle', cycle, 'basket.items[0].back', /is basket again/],
    ['a lone surrogate', { 'odd key': 'a\ud800' }, 'basket["odd key"]', /surrogate/],
    ['a lone surrogate in a name', { a: { 'x\udc00': 1 } }, 'basket.a["x\\udc00"]', /surrogate/],
    ['a nameless class', new (class {})(), 'basket', /is an object of a class/],
  ])('%s', (_, value, path, message) => {
    const error = refusal(jsonCodec, value)
    expect(error.path).toBe(path)
    expect(error.message).toMatch(message)
  })

  it('101 levels of nesting, and takes 100', () => {
    deepStrictEqual(roundTrip(nested(100)), nested(100))
    expect(refusal(jsonCodec, nested(101)).message).toMatch(
      /^basket is nested more than 100 levels/,
    )
  })

  it('50 000 levels of nesting without running out of stack', () => {
    expect(refusal(jsonCodec, nested(50_000)).path).toBe('basket')
  })

  it('an object that unfolds to more parts than anyone can write, without trying to', () => {
    let value: unknown = 'tea'
    for (let level = 0; level < 60; level += 1) value = [value, value]
    expect(refusal(jsonCodec, value).message).toMatch(/more than 1000000 parts/)
  })

  it('a proxy that throws, and does not run a getter that could', () => {
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new RangeError('boo')
        },
      },
    )
    expect(refusal(jsonCodec, proxy).message).toMatch(/cannot be read/)
    let ran = false
    refusal(jsonCodec, {
      get total() {
        ran = true
        return 1
      },
    })
    expect(ran).toBe(false)
  })

  it('values without quoting them, and long names only in part', () => {
    const error = refusal(jsonCodec, { ['k'.repeat(5000)]: { password: ['hunter2', undefined] } })
    expect(error.message).not.toContain('hunter2')
    expect(error.message.length).toBeLessThan(300)
    expect(error.path).toMatch(/^basket\["k+…"\]\.password\[1\]$/)
  })
})

describe('jsonCodec decodes', () => {
  it.each(['', ' ', 'tea', '{', '[1,]', "{'a':1}", '\ufeff1', 'NaN', 'undefined', '01', '1 2'])(
    'no value from %j',
    (written) => {
      expect(() => jsonCodec.decode(bytes(written))).toThrow(UndecodableError)
    },
  )

  it('no value from bytes that are not UTF-8, and no half-mended one either', () => {
    for (const broken of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      expect(() => jsonCodec.decode(Uint8Array.from(broken))).toThrow(UndecodableError)
    }
  })

  it('any bytes to a value, or says that they are none, without quoting them', () => {
    const anyBytes = fc.oneof(fc.uint8Array(), fc.json().map(bytes), fc.string().map(bytes))
    fc.assert(
      fc.property(anyBytes, (stored) => {
        try {
          jsonCodec.decode(stored)
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableError)
          expect((error as Error).message).toMatch(
            /^The stored (value is not JSON|bytes are not UTF-8)\.$/,
          )
          expect((error as Error).cause).toBeUndefined()
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('50 000 levels of nesting without running out of stack', () => {
    const written = bytes('['.repeat(50_000) + ']'.repeat(50_000))
    expect(() => {
      try {
        jsonCodec.decode(written)
      } catch (error) {
        if (!(error instanceof UndecodableError)) throw error
      }
    }).not.toThrow()
  })
})

describe.each([jsonCodec, structuredCloneCodec])('keys of the $name codec', (codec) => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        fc.pre(!key.includes('\0'))
        expect(codec.decodeKey(codec.encodeKey(key))).toBe(key)
      }),
    )
    for (const key of ['', '__proto__', '\ufeffkey', 'a b', '"']) {
      expect(codec.decodeKey(codec.encodeKey(key))).toBe(key)
    }
  })

  it('are the UTF-8 of the key, so that plain SQL can read them', () => {
    expect(text(codec.encodeKey('Körbchen'))).toBe('Körbchen')
  })

  it('are refused when PostgreSQL or UTF-8 has no such text, with the key as the path', () => {
    for (const [key, path] of [
      ['a\ud800', '["a\\ud800"]'],
      ['a\0', '["a\\u0000"]'],
    ] as const) {
      try {
        codec.encodeKey(key)
        expect.unreachable()
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidValueError)
        expect((error as InvalidValueError).path).toBe(path)
      }
    }
    expect(() => codec.encodeKey(7 as never)).toThrow(InvalidValueError)
  })

  it('are refused when the bytes are not a key', () => {
    for (const stored of [[0xff], [0xed, 0xa0, 0x80], [0x61, 0x00]]) {
      expect(() => codec.decodeKey(Uint8Array.from(stored))).toThrow(UndecodableError)
    }
  })
})

function markNegativeZero(_: string, value: unknown): unknown {
  return Object.is(value, -0) ? '-0' : value
}
