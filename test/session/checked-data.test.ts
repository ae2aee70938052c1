import { type } from 'arktype'
import {
  createSessions,
  MemoryStore,
  type Session,
  type SessionEvents,
  type StandardSchema,
} from 'pg-sessions'
import * as v from 'valibot'
import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'

interface Line {
  sku: string
  count: number
}

const libraries = {
  zod: z.array(z.object({ sku: z.string(), count: z.number() })),
  valibot: v.array(v.object({ sku: v.string(), count: v.number() })),
  arktype: type({ sku: 'string', count: 'number' }).array(),
}

let store: MemoryStore
beforeEach(() => {
  store = new MemoryStore()
})

/** Stores values as a release without schemas did; gives the cookie. */
async function storedBefore(values: Record<string, unknown>): Promise<string> {
  const exchange = createSessions({ store, log: false }).open(null)
  for (const [key, value] of Object.entries(values)) exchange.session.set(key, value)
  const { setCookies } = await exchange.commit()
  return setCookies[0]?.split(';')[0] ?? ''
}

describe.each(Object.entries(libraries))('with %s', (_, basket) => {
  const open = () => createSessions({ store, log: false, data: { basket } })

  test('a value that fits is stored, and one that does not is refused with its place, and not shown', async () => {
    const exchange = open().open(null)
    const { session } = exchange
    session.set('basket', [{ sku: 'tea', count: 2 }])
    const wrong = [{ sku: 'tea', count: 'hunter2' }] as unknown as Line[]
    expect(() => session.set('basket', wrong)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_VALUE',
        message: expect.stringMatching(/^basket\[0\]\.count does not fit the schema/),
      }),
    )
    expect(() => session.set('basket', wrong)).not.toThrow('hunter2')
    await expect(session.update('basket', () => wrong)).rejects.toMatchObject({
      code: 'ERR_INVALID_VALUE',
    })
    expect(await session.get('basket')).toEqual([{ sku: 'tea', count: 2 }])
  })

  test('a stored value that does not fit is absent and told, and can be replaced', async () => {
    const cookie = await storedBefore({ basket: ['tea'] })
    const sessions = open()
    const events: SessionEvents['valueUnfit'][] = []
    sessions.on('valueUnfit', (event) => events.push(event))
    const { session } = sessions.open(cookie)
    expect(await session.get('basket')).toBeUndefined()
    expect(await session.has('basket')).toBe(false)
    expect(await session.entries()).toEqual([])
    expect(events).toEqual([{ sessionId: session.id, key: 'basket', places: ['basket[0]'] }])
    await session.update('basket', (old = []) => [...old, { sku: 'new', count: 1 }])
    expect(await sessions.open(cookie).session.take('basket')).toEqual([{ sku: 'new', count: 1 }])
  })
})

test('types come from the schemas', () => {
  const sessions = createSessions({
    store,
    log: false,
    data: { ...libraries, old: { schema: z.number(), upgrade: Number } },
  })
  const { session } = sessions.open(null)
  expectTypeOf(session.get<'zod'>).returns.toEqualTypeOf<Promise<Line[] | undefined>>()
  expectTypeOf(session.get<'valibot'>).returns.toEqualTypeOf<Promise<Line[] | undefined>>()
  expectTypeOf(session.get<'arktype'>).returns.toEqualTypeOf<Promise<Line[] | undefined>>()
  expectTypeOf(session).toEqualTypeOf<
    Session<{ zod: Line[]; valibot: Line[]; arktype: Line[]; old: number }>
  >()
  const wrong = [
    // @ts-expect-error: there is no such key.
    () => session.get('basket'),
    // @ts-expect-error: a text is not a number.
    () => session.set('old', '1'),
  ]
  expect(wrong).toHaveLength(2)
})

test('a key without a schema is refused, but for its deletion', async () => {
  const cookie = await storedBefore({ forgotten: 1, note: 'kept' })
  const sessions = createSessions({ store, log: false, data: { note: z.string() } })
  const { session } = sessions.open(cookie) as unknown as {
    session: Session<Record<string, unknown>>
  }
  const refusal = {
    code: 'ERR_INVALID_VALUE',
    message: expect.stringMatching(/^forgotten is not a key/),
  }
  expect(() => session.set('forgotten', 1)).toThrow(expect.objectContaining(refusal))
  await expect(session.get('forgotten')).rejects.toMatchObject(refusal)
  await expect(session.has('forgotten')).rejects.toMatchObject(refusal)
  await expect(session.take('forgotten')).rejects.toMatchObject(refusal)
  await expect(session.update('forgotten', () => 1)).rejects.toMatchObject(refusal)
  expect(await session.entries()).toEqual([['note', 'kept']])
  session.delete('forgotten')
  await session.save()
  const before = createSessions({ store, log: false }).open(cookie).session
  expect(await before.entries()).toEqual([['note', 'kept']])
})

test('an upgrade makes a value that fits of an older one, and one that cannot leaves it absent', async () => {
  const upgrade = (stored: unknown): unknown =>
    Array.isArray(stored) ? stored.map((sku) => ({ sku, count: 1 })) : undefined
  const data = { basket: { schema: libraries.zod, upgrade } }
  const sessions = createSessions({ store, log: false, data })
  const read = async (basket: unknown) =>
    sessions.open(await storedBefore({ basket })).session.get('basket')
  expect(await read(['tea'])).toEqual([{ sku: 'tea', count: 1 }])
  expect(await read([{ sku: 'tea', count: 3 }])).toEqual([{ sku: 'tea', count: 3 }])
  expect(await read([1])).toBeUndefined()
  expect(await read('tea')).toBeUndefined()
})

test('a value is what the schema makes of it, with its defaults', async () => {
  const schema = z.object({ size: z.number().default(10), sort: z.string().trim() })
  const sessions = createSessions({ store, log: false, data: { view: schema } })
  const cookie = await storedBefore({ view: { sort: ' name ' } })
  const { session } = sessions.open(cookie)
  expect(await session.get('view')).toEqual({ size: 10, sort: 'name' })
  expect(() => Object.assign(session.data.view as object, { size: 1 })).toThrow(TypeError)
})

test('a schema that answers later is refused', async () => {
  const later = z.string().refine(async () => true)
  const sessions = createSessions({ store, log: false, data: { note: later } })
  const { session } = sessions.open(await storedBefore({ note: 'x' }))
  const refusal = {
    code: 'ERR_CONFIGURATION',
    message: expect.stringMatching(/data\.note is asynchronous/),
  }
  expect(() => session.set('note', 'x')).toThrow(expect.objectContaining(refusal))
  await expect(session.get('note')).rejects.toMatchObject(refusal)
})

describe('a schema that does not follow the standard', () => {
  const schema = (validate: (value: unknown) => unknown) =>
    ({ '~standard': { version: 1, vendor: 'own', validate } }) as StandardSchema<string>
  const later = (value: unknown) => ({ then: (next: (result: unknown) => void) => next({ value }) })

  test.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new TypeError('of its own')
      },
      /^The schema of data\.note threw/,
    ],
    ['answers with a promise of another class', () => later('x'), /data\.note is asynchronous/],
    ['answers nothing', () => undefined, /data\.note gave neither/],
    ['answers an empty object', () => ({}), /data\.note gave neither/],
    ['lists no issues', () => ({ issues: 'wrong' }), /data\.note gave neither/],
  ])('and %s is named, and lets no value pass', async (_, validate, message) => {
    const sessions = createSessions({ store, log: false, data: { note: schema(validate) } })
    const { session } = sessions.open(await storedBefore({ note: 'x' }))
    const refusal = { code: 'ERR_CONFIGURATION', message: expect.stringMatching(message) }
    expect(() => session.set('note', 'x')).toThrow(expect.objectContaining(refusal))
    await expect(session.get('note')).rejects.toMatchObject(refusal)
  })

  test.each<[string, (stored: unknown) => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new TypeError('of its own')
      },
      /^data\.note\.upgrade threw/,
    ],
    ['answers later', async () => 'x', /^data\.note\.upgrade is asynchronous/],
  ])('an upgrade that %s is named', async (_, upgrade, message) => {
    const data = { note: { schema: z.string(), upgrade } }
    const sessions = createSessions({ store, log: false, data })
    const { session } = sessions.open(await storedBefore({ note: 1 }))
    await expect(session.get('note')).rejects.toThrow(message)
  })
})

test.each<[string, unknown, RegExp]>([
  [
    'a schema in place of schemas',
    z.object({ a: z.string() }),
    /data must be an object with a schema/,
  ],
  ['a text', 'basket', /data must be an object/],
  ['something else as a schema', { basket: String }, /data\.basket must be a schema/],
  ['an upgrade without a schema', { basket: { upgrade: String } }, /data\.basket must be a schema/],
])('createSessions refuses %s', (_, data, message) => {
  expect(() => createSessions({ store, data } as never)).toThrow(message)
})
