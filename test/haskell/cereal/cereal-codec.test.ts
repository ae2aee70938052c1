import {
  ConfigurationError,
  createSessions,
  InvalidValueError,
  MemoryStore,
  UndecodableError,
} from 'pg-sessions'
import { cereal, cerealCodec } from 'pg-sessions/haskell/cereal'
import { expect, it } from 'vitest'
import { Visitor } from '../../support/each-store-visitor.ts'

const codec = cerealCodec({ key: cereal.string, value: cereal.map(cereal.string, cereal.int64) })
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

it('sessions keep keys and values of two types', async () => {
  const sessions = createSessions({ store: new MemoryStore(), codec, log: false })
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('日本\0', new Map([['a', 5n]])))
  expect(await ann.visit((session) => session.get('日本\0'))).toEqual(new Map([['a', 5n]]))
  const wrong = new Map([['a', 5]]) as Map<string, never>
  await expect(ann.visit((session) => session.set('basket', wrong))).rejects.toThrow(
    'basket.keys()[0].get("a") must be a bigint',
  )
})

it('writes what Haskell writes', () => {
  expect(hex(codec.encodeKey('u'))).toBe('000000000000000175')
  expect(hex(codec.encode(new Map(), 'basket'))).toBe('0000000000000000')
})

it('a key in any other spelling than Haskell’s own is none: Haskell would not find it', () => {
  const key = codec.encodeKey('é')
  expect(codec.decodeKey(key)).toBe('é')
  for (const odd of ['0000000000000001c3a9ff', '0000000000000001e08080', '00']) {
    expect(() => codec.decodeKey(Buffer.from(odd, 'hex'))).toThrow(UndecodableError)
  }
})

it('a key may be of a data type, or converted', () => {
  const named = cerealCodec({ key: cereal.enumeration('User', 'Basket'), value: cereal.text })
  expect(hex(named.encodeKey('Basket'))).toBe('01')
  expect(named.decodeKey(Buffer.from('00', 'hex'))).toBe('User')
  expect(() => named.encodeKey('basket' as never)).toThrow(InvalidValueError)
  expect(() => named.decodeKey(Buffer.from('05', 'hex'))).toThrow(UndecodableError)
  const unit = cerealCodec({
    key: cereal.convert(
      cereal.unit,
      (key: string) => (key === 'all' ? null : fail()),
      () => 'all',
    ),
    value: cereal.string,
  })
  expect(hex(unit.encodeKey('all'))).toBe('')
  expect(unit.decodeKey(new Uint8Array())).toBe('all')
  expect(() => unit.encodeKey('some')).toThrow(InvalidValueError)
})

it('is refused without its types', () => {
  for (const types of [{}, { key: cereal.string }, { key: 'string', value: cereal.string }]) {
    expect(() => cerealCodec(types as never)).toThrow(ConfigurationError)
  }
})

function fail(): never {
  throw new TypeError('no such key')
}
