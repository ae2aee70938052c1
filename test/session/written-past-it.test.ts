import { inspect } from 'node:util'
import { runInThisContext } from 'node:vm'
import {
  ConfigurationError,
  createSessions,
  InvalidValueError,
  jsonCodec,
  MemoryStore,
  type Session,
} from 'pg-sessions'
import { expect, test, vi } from 'vitest'
import { structuredCloneCodec } from '../../src/codec/structured-clone-codec.ts'

type Loose = Session & Record<string, unknown>

function open(settings: object = {}): Loose {
  const sessions = createSessions({ store: new MemoryStore(), log: false, ...settings })
  return sessions.open(null).session as unknown as Loose
}

/** A function of sloppy mode, in which an assignment that fails is silent. */
function sloppy(code: string): (session: unknown) => unknown {
  return runInThisContext(`(function (session) { ${code} })`)
}

test.each([
  'session.views = 1',
  'session.get = 1',
  'session.views++',
  'Object.assign(session, { views: 1 })',
  'Object.defineProperty(session, "views", { value: 1 })',
])('%s throws, in sloppy mode too, and says what to write', (code) => {
  expect(() => sloppy(code)(open())).toThrow(ConfigurationError)
  expect(() => sloppy(code)(open())).toThrow(/Write session\.set\('\w+', …\) instead/)
})

test.each([
  ['session.userId = "ann"', "await session.signIn('ann')"],
  ['session.data = {}', 'session.set(key, value)'],
  ['session.id = "1"', 'session.rotate()'],
  ['session.cookie = { maxAge: 1 }', 'session.setLifetime'],
  ['delete session.views', "session.delete('views')"],
  ['delete session.userId', 'await session.signOut()'],
])('%s throws, and says what to write', (code, advice) => {
  expect(() => sloppy(code)(open())).toThrow(`Write ${advice}`)
})

test('a change of session.data throws, also when there is no data', async () => {
  const session = open()
  await session.load()
  expect(() => {
    Object.assign(session.data, { views: 1 })
  }).toThrow(TypeError)
})

test.each(['get', 'has', 'delete', 'take', 'update'] as const)(
  '%s refuses a key that is not a string, as after a forgotten argument',
  async (method) => {
    const call = async (): Promise<unknown> =>
      method === 'update'
        ? open().update(undefined as never, () => 1)
        : open()[method](undefined as never)
    await expect(call()).rejects.toThrow(InvalidValueError)
    await expect(call()).rejects.toThrow("session.get('basket')")
  },
)

test('the stack of a value that is refused shows the caller, however deep the fault lies', () => {
  const deep = { a: { b: { c: { d: { e: { f: new Date(0) } } } } } }
  const setDeep = (): void => open({ codec: jsonCodec }).set('deep', deep)
  expect(setDeep).toThrow(expect.objectContaining({ stack: expect.stringContaining('setDeep') }))
})

test('a session works as before with methods of a class, JSON, inspect, matchers and spies', async () => {
  const session = open()
  session.set('a', 1)
  expect(await session.get('a')).toBe(1)
  expect(JSON.stringify(session)).toBe('{"id":null,"userId":null}')
  expect(inspect(session)).toMatch(/^Session/)
  expect(Object.keys(session)).toEqual([])
  expect(session).toEqual(session)
  const save = vi.spyOn(session, 'save').mockResolvedValue()
  await session.save()
  expect(save).toHaveBeenCalledOnce()
  save.mockRestore()
  await session.save()
  expect(session.id).not.toBeNull()
})

test('a value that get, data and entries give is frozen with all it holds', async () => {
  const session = open()
  session.set('cart', { items: [{ name: 'tea' }] })
  const cart = (await session.get('cart')) as { items: { name: string }[] }
  expect(() => cart.items.push({ name: 'milk' })).toThrow(TypeError)
  const [[, same] = []] = await session.entries()
  const item = (same as typeof cart).items[0] as { name: string }
  expect(() => {
    item.name = 'milk'
  }).toThrow(TypeError)
  expect(() => (session.data.cart as typeof cart).items.pop()).toThrow(TypeError)
})

test('what update and take give is the own copy of the caller', async () => {
  const session = open()
  session.set('cart', ['tea'])
  await session.update('cart', (cart) => {
    const items = cart as string[]
    items.push('milk')
    return items
  })
  expect(await session.get('cart')).toEqual(['tea', 'milk'])
  expect(((await session.take('cart')) as string[]).push('bread')).toBe(3)
})

test('a value of structured clone is frozen as far as that goes', async () => {
  const session = open({ codec: structuredCloneCodec })
  session.set('held', new Map([['list', [1]]]))
  const held = (await session.get('held')) as Map<string, number[]>
  expect(() => held.get('list')?.push(2)).toThrow(TypeError)
  session.set('bytes', new Uint8Array([1]))
  expect(await session.get('bytes')).toEqual(new Uint8Array([1]))
})

test('production freezes nothing', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  const session = open()
  vi.unstubAllEnvs()
  session.set('list', [1])
  expect(((await session.get('list')) as number[]).push(2)).toBe(2)
})

test('the stack of a call that fails shows the caller', async () => {
  const failing = new Proxy(new MemoryStore(), {
    get: (target, property) =>
      property === 'create'
        ? () => new Promise((_, reject) => setImmediate(() => reject(new Error('no database'))))
        : Reflect.get(target, property)?.bind?.(target),
  })
  const calls: Record<string, (session: Loose) => Promise<unknown>> = {
    signIn: async (session) => await session.signIn('ann'),
    update: async (session) => await session.update('a', () => 1),
    async save(session) {
      session.set('a', 1)
      await session.save()
    },
  }
  for (const [name, call] of Object.entries(calls)) {
    const error = await call(open({ store: failing })).catch((error: unknown) => error)
    expect((error as Error).stack, name).toContain('written-past-it.test.ts')
    expect((error as Error).stack, name).toMatch(/^Error: no database/)
  }
})

test.each([
  ['save', 'session.save(() => {})'],
  ['destroy', 'session.destroy(() => {})'],
  ['signOut', 'session.signOut(() => {})'],
  ['get', 'session.get("a", () => {})'],
  ['set', 'session.set("a", 1, () => {})'],
])('%s refuses a callback, which it would never call', (name, code) => {
  expect(() => sloppy(code)(open())).toThrow(`session.${name} takes no callback`)
})

test.each(['regenerate', 'reload', 'touch', 'resetMaxAge', 'cookie'])(
  'session.%s of other libraries throws what to write instead',
  (name) => {
    const code = name === 'cookie' ? 'session.cookie.maxAge = 1' : `session.${name}(() => {})`
    expect(() => sloppy(code)(open())).toThrow(ConfigurationError)
    expect(() => sloppy(code)(open())).toThrow(/Write|Leave it out/)
  },
)

test.each(['get', 'set', 'signIn', 'isCsrfToken'] as const)(
  '%s says that it was taken off its session',
  (name) => {
    const { [name]: alone } = open()
    expect(() => Reflect.apply(alone, undefined, ['a'])).toThrow(`Write session.${name}(…)`)
  },
)

test('update and signIn say what to write for values of the wrong type', async () => {
  const session = open()
  await expect(session.update('a', 3 as never)).rejects.toThrow('session.update takes a function')
  await expect(session.signIn(7 as never)).rejects.toThrow('write String(user.id)')
  await expect(session.signIn(Promise.resolve('ann') as never)).rejects.toThrow('await it')
  await expect(session.signIn(undefined as never)).rejects.toThrow('look the user up')
})
