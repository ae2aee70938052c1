import { setImmediate as nextTurn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { StoreUnavailableError } from 'pg-sessions'
import { PgSessionStore, type SidCommonOptions } from 'pg-sessions/express-session'
import { describe, expect, it } from 'vitest'
import { sidIdentity } from '../../src/compatibility/by-sid/sid-identity.ts'
import { eachGround, type Ground, type Grounds } from './grounds.ts'

interface Cookie {
  readonly expires?: string
}
type Stored = Record<string, unknown> & { readonly cookie?: Cookie }

/** The store by itself, as socket servers and tests of other packages use it. */
eachGround((grounds, storeName) => {
  describe('PgSessionStore by itself', () => {
    it('stores a session without cookie as it is, and dates and undefined as JSON does', async () => {
      const { set, get } = await open(grounds)
      await set('plain', { foo: 'bar' })
      expect(await get('plain')).toEqual({ foo: 'bar' })
      const at = new Date(0)
      await set('json', { at, gone: undefined, list: [undefined], not: Number.NaN })
      expect(await get('json')).toEqual({ at: at.toISOString(), list: [null], not: null })
    })

    it('gives back keys that are names of methods, and __proto__, as plain keys', async () => {
      const { set, get, store } = await open(grounds)
      const odd = JSON.parse(
        '{"save":1,"__proto__":{"admin":true},"id":"x","toString":"y"}',
      ) as object
      await set('odd', { ...odd, cookie: {}, ['__proto__']: { admin: true } })
      const found = await get('odd')
      expect(found).toMatchObject({ save: 1, id: 'x', toString: 'y' })
      expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
      expect(Object.hasOwn(found ?? {}, '__proto__')).toBe(true)
      const loaded = await new Promise<{ touch(): unknown; save(done: () => void): unknown }>(
        (resolve) => store.load('odd', (_error, session) => resolve(session as never)),
      )
      expect(Reflect.get(loaded, 'admin')).toBeUndefined()
      await new Promise<void>((resolve) => loaded.save(resolve))
      const { cookie: _, ...kept } = (await get('odd')) as Stored
      const { cookie: __, ...all } = found as Stored
      expect(kept, 'what the session object could not carry is kept').toEqual(all)
    })

    it('an expiry counts in milliseconds, an invalid date is none, and a past one ends it', async () => {
      const { set, get, ground } = await open(grounds, { idleTimeout: '1m' })
      await set('brief', { cookie: { expires: new Date(Date.now() + 20_250) } })
      await ground.elapse(20_000)
      expect(await get('brief')).not.toBeNull()
      await ground.elapse(260)
      expect(await get('brief')).toBeNull()
      await set('invalid', { cookie: { expires: new Date(Number.NaN) } })
      await ground.elapse(59_000)
      expect(await get('invalid')).not.toBeNull()
      await set('invalid', { cookie: { expires: new Date(Date.now() - 1) } })
      expect(await get('invalid')).toBeNull()
    })

    it('touch moves the cookie on that get returns', async () => {
      const { set, get, touch, ground } = await open(grounds)
      const cookie = (): object => ({
        originalMaxAge: 60_000,
        expires: new Date(Date.now() + 60_000),
      })
      await set('sid', { cookie: cookie() })
      await ground.elapse(30_000)
      const before = await get('sid')
      expect(lasts(before)).toBeLessThan(31_000)
      await touch('sid', { cookie: cookie() })
      expect(lasts(await get('sid'))).toBeGreaterThan(50_000)
      const later = new Date(Date.now() + 120_000)
      await touch('sid', { cookie: { expires: later } })
      expect((await get('sid'))?.cookie?.expires).toBe(later.toISOString())
    })

    // MemoryStore notes every access, which costs it nothing.
    if (storeName === 'postgres') {
      it('set notes an access only when a touch would', async () => {
        const { set, get, ground } = await open(grounds)
        const expires = new Date(Date.now() + 3_600_000)
        const write = async (n: number, cookie: object = { originalMaxAge: 3_600_000, expires }) =>
          set('sid', Object.assign((await get('sid')) ?? {}, { n, cookie }))
        await write(1)
        await ground.elapse(50_000)
        await write(2)
        expect(lasts(await get('sid'))).toBeLessThan(3_551_000)
        await ground.elapse(20_000)
        await write(3)
        expect(lasts(await get('sid'))).toBeGreaterThan(3_590_000)
        await write(4, { expires })
        await write(5, { expires: new Date(Date.now() + 7_200_000) })
        await ground.elapse(7_100_000)
        expect(await get('sid'), 'a later end is not a matter of when').toMatchObject({ n: 5 })
      })
    }

    it('touch and a late set bring back nothing that has ended', async () => {
      const { set, get, touch, destroy } = await open(grounds)
      await set('sid', { a: 1 })
      const found = (await get('sid')) as Stored
      await destroy('sid')
      await touch('sid', found)
      await set('sid', Object.assign(found, { b: 2 }))
      expect(await get('sid')).toBeNull()
      await destroy('sid')
      await set('sid', { fresh: true })
      expect(await get('sid'), 'one that was never given out').toEqual({ fresh: true })
    })

    it('what a request has ended by an expiry in the past it cannot bring back itself', async () => {
      const { set, get } = await open(grounds)
      await set('sid', { a: 1 })
      const session = { cookie: { expires: new Date(Date.now() - 1) } }
      await set('sid', session)
      session.cookie.expires = new Date(Date.now() + 60_000)
      await set('sid', session)
      expect(await get('sid')).toBeNull()
    })

    it('a maxAge that a middleware computes a few milliseconds less writes nothing', async () => {
      const { set, get, touch, ground } = await open(grounds)
      const cookie = (originalMaxAge: number): object => ({
        originalMaxAge,
        expires: new Date(Date.now() + originalMaxAge),
      })
      await set('sid', { cookie: cookie(3_600_000) })
      const found = (await get('sid')) as Stored
      ground.watched.calls.length = 0
      await touch('sid', Object.assign(found, { cookie: cookie(3_599_998) }))
      await set('sid', found)
      expect(ground.watched.calls).toEqual([])
      await touch('sid', Object.assign(found, { cookie: cookie(1_800_000) }))
      expect(ground.watched.calls).toEqual(['save'])
      expect((await get('sid'))?.cookie).toMatchObject({ originalMaxAge: 1_800_000 })
    })

    it('shows nothing secret of what it remembers with a session', async () => {
      const { set, get, store } = await open(grounds)
      await set('sid', { a: 1, cookie: {} })
      const found = await get('sid')
      const shown = inspect([store, found], { showHidden: true, depth: 12 })
      const { secretHash, id } = sidIdentity('sid')
      for (const secret of [Buffer.from(secretHash).toString('hex', 0, 3), id]) {
        expect(shown).not.toContain(secret)
      }
      expect(shown).not.toMatch(/<Buffer|Uint8Array/)
      expect(JSON.stringify(found)).toBe('{"a":1,"cookie":{}}')
    })

    it('a whole session that is set again replaces what is there', async () => {
      const { set, get } = await open(grounds)
      await set('sid', { a: 1, b: 2 })
      await set('sid', { b: 3, c: 4 })
      expect(await get('sid')).toEqual({ b: 3, c: 4 })
    })

    it('set begins a session again whose row has expired', async () => {
      const { set, get, ground } = await open(grounds, { idleTimeout: '1m' })
      await set('sid', { a: 1 })
      await ground.elapse(61_000)
      await set('sid', { b: 2 })
      expect(await get('sid')).toEqual({ b: 2 })
    })

    it('calls back once, with the error, and never from within a promise', async () => {
      const { store, ground } = await open(grounds)
      const error = new StoreUnavailableError('away', 'none')
      for (const operation of ['load', 'create', 'destroy'] as const) {
        ground.watched.fail(operation, error)
      }
      const heard: unknown[] = []
      store.get('sid', (failure) => heard.push(failure))
      class Fresh {}
      store.set('sid', new Fresh(), (failure) => heard.push(failure))
      store.destroy('sid', (failure) => heard.push(failure))
      await ground.watched.settled()
      await nextTurn()
      await nextTurn()
      expect(heard).toEqual([error, error, error])
      const cycle: Record<string, unknown> = {}
      cycle.self = cycle
      store.set('sid', cycle, (failure) => heard.push(failure))
      await expect.poll(() => heard.at(-1)).toBeInstanceOf(TypeError)
    })

    it('may be told without a callback, and a method may be overridden', async () => {
      const { store, get } = await open(grounds)
      store.set('sid', { a: 1 })
      await expect.poll(() => get('sid')).toEqual({ a: 1 })
      store.get = (_sid, callback) => callback(null, { overridden: true } as never)
      expect(await get('sid')).toEqual({ overridden: true })
      store.destroy('sid')
      await expect.poll(async () => (await get('sid')) && (await length(store))).toBe(0)
    })

    it('says connect and disconnect, the latter only when asking once more fails too', async () => {
      const { store, ground, get } = await open(grounds)
      const events: string[] = []
      for (const event of ['connect', 'disconnect']) store.on(event, () => events.push(event))
      await get('sid')
      await expect.poll(() => events).toEqual(['connect'])
      const error = new StoreUnavailableError('away', 'none')
      ground.watched.fail('load', error)
      await expect(get('sid')).rejects.toBe(error)
      await ground.watched.settled()
      await get('sid')
      expect(events).toEqual(['connect'])
      ground.watched.fail('load', error)
      ground.watched.fail('load', error)
      await expect(get('sid')).rejects.toBe(error)
      await expect
        .poll(() => events, { timeout: 10_000 })
        .toEqual(['connect', 'disconnect', 'connect'])
    })
  })
})

function lasts(session: Stored | null): number {
  return Date.parse(session?.cookie?.expires ?? '') - Date.now()
}

function length(store: PgSessionStore): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    store.length((error, count) => (error ? reject(error) : resolve(count)))
  })
}

interface OpenStore {
  readonly store: PgSessionStore
  readonly ground: Ground
  get(sid: string): Promise<Stored | null>
  set(sid: string, session: object): Promise<void>
  touch(sid: string, session: object): Promise<void>
  destroy(sid: string): Promise<void>
}

async function open(grounds: Grounds, options: SidCommonOptions = {}): Promise<OpenStore> {
  const ground = await grounds.lay()
  const store = grounds.closing(
    new PgSessionStore({
      store: ground.watched.store,
      log: false,
      purgeInterval: 'never',
      ...options,
    }),
  )
  const told = (call: (done: (error: unknown) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())))
  return {
    store,
    ground,
    get: (sid) =>
      new Promise((resolve, reject) => {
        store.get<Stored>(sid, (error, found) => (error ? reject(error) : resolve(found ?? null)))
      }),
    set: (sid, session) => told((done) => store.set(sid, session, done)),
    touch: (sid, session) => told((done) => store.touch(sid, session, done)),
    destroy: (sid) => told((done) => store.destroy(sid, done)),
  }
}
