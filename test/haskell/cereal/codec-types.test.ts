import {
  type Codec,
  createSessions,
  type DefaultData,
  jsonCodec,
  MemoryStore,
  type Sessions,
} from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { waiSettings } from 'pg-sessions/haskell'
import { cereal, cerealCodec } from 'pg-sessions/haskell/cereal'
import { expect, expectTypeOf, it } from 'vitest'

/** What sessions hold follows from the types that their codec is made of. */

const store = new MemoryStore()
const [strings, numbers, fixed] = [
  cerealCodec({ key: cereal.string, value: cereal.string }),
  cerealCodec({ key: cereal.text, value: cereal.maybe(cereal.int32) }),
  cerealCodec({ key: cereal.enumeration('User', 'Basket'), value: cereal.list(cereal.text) }),
]

it('the codec has the types of its keys and values', () => {
  expectTypeOf(strings).toEqualTypeOf<Codec<string, string>>()
  expectTypeOf(numbers).toEqualTypeOf<Codec<string, number | null>>()
  expectTypeOf(fixed).toEqualTypeOf<Codec<'User' | 'Basket', string[]>>()
})

it('sessions have the types of their codec, and keep the default without one', () => {
  const open = () => ({
    strings: createSessions({ store, codec: strings, log: false }),
    fixed: createSessions({ store, codec: fixed, log: false }),
    json: createSessions({ store, codec: jsonCodec, log: false }),
    none: createSessions({ store, log: false }),
    wai: (database: Driver) =>
      createSessions({
        ...waiSettings({ database, timeout: '1h', cookie: { name: 'S' }, codec: numbers }),
        log: false,
      }),
  })
  type Open = ReturnType<typeof open>
  expectTypeOf<Open['strings']>().toEqualTypeOf<Sessions<Record<string, string>>>()
  expectTypeOf<Open['fixed']>().toEqualTypeOf<Sessions<Record<'User' | 'Basket', string[]>>>()
  expectTypeOf<Open['json']>().toEqualTypeOf<Sessions<DefaultData>>()
  expectTypeOf<Open['none']>().toEqualTypeOf<Sessions<DefaultData>>()
  expectTypeOf<ReturnType<Open['wai']>>().toEqualTypeOf<Sessions<Record<string, number | null>>>()
})

it('wrong keys and values do not compile', () => {
  const { session } = createSessions({ store, codec: fixed, log: false }).open(null)
  const wrong = [
    // @ts-expect-error: there is no such constructor.
    () => session.set('Other', ['tea']),
    // @ts-expect-error: a text is not a list of texts.
    () => session.set('Basket', 'tea'),
    // @ts-expect-error: a list of texts is not a list of numbers.
    () => session.update('Basket', () => [1]),
    // @ts-expect-error: keys are strings.
    () => cerealCodec({ key: cereal.int32, value: cereal.string }),
    // @ts-expect-error: not an encoding of what the codec takes.
    () => strings.encode(5, 'value'),
  ]
  expect(wrong).toHaveLength(5)
})

it('a type of data that the codec cannot hold does not compile', () => {
  interface Basket {
    basket: string[]
  }
  interface Named {
    user: string
    note?: string
  }
  createSessions<Named>({ store, codec: strings, log: false })
  createSessions<Record<string, string>>({ store, codec: strings, log: false })
  createSessions<Basket>({ store, codec: jsonCodec, log: false })
  createSessions<{ User: string[] }>({ store, codec: fixed, log: false })
  const wrong = [
    // @ts-expect-error: a list of texts is not text.
    () => createSessions<Basket>({ store, codec: strings, log: false }),
    // @ts-expect-error: there is no constructor for the key.
    () => createSessions<{ user: string[] }>({ store, codec: fixed, log: false }),
    // @ts-expect-error: a text is not a number.
    () => createSessions<Record<string, string>>({ store, codec: numbers, log: false }),
  ]
  expect(wrong).toHaveLength(3)
})
