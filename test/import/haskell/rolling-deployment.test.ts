import { createSessions, type Sessions } from 'pg-sessions'
import { waiSettings } from 'pg-sessions/haskell'
import { cereal, cerealCodec } from 'pg-sessions/haskell/cereal'
import { fromWai } from 'pg-sessions/haskell/import'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Visitor } from '../../support/each-store-visitor.ts'
import { type OriginalService, openOriginalService } from './original-service.ts'

/** Processes of two releases at once, behind one load balancer, on the way from the old tables and back. */

type Data = Record<string, string>

let original: OriginalService
const opened: Sessions<Data>[] = []
beforeEach(async () => {
  original = await openOriginalService(true)
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((sessions) => sessions.close()))
  await original.dispose()
})

const start = {
  /** A process that shares the old tables with the Haskell service. */
  shared: (): Sessions<Data> =>
    createSessions<Data>({
      ...waiSettings({
        database: fromPg(original.pool),
        timeout: '1h',
        cookie: { name: '__Host-id' },
        codec: cerealCodec({ key: cereal.string, value: cereal.string }),
      }),
      log: false,
    }),
  keeping: (): Sessions<Data> =>
    createSessions<Data>({
      ...fromWai({ database: fromPg(original.pool), keepKeys: true }),
      log: false,
    }),
  moving: (): Sessions<Data> =>
    createSessions<Data>({ ...fromWai({ database: fromPg(original.pool) }), log: false }),
}

function processes(...kinds: (keyof typeof start)[]): Sessions<Data>[] {
  const started = kinds.map((kind) => start[kind]())
  opened.push(...started)
  return started
}

/** A browser whose requests go to any process. It counts as lost when a request finds another user. */
class Browser {
  readonly name: string
  readonly #jar: Visitor<Data>
  #token: string | null = null
  writes = 0

  constructor(name: string) {
    this.name = name
    this.#jar = new Visitor<Data>({ open: (...args) => this.process.open(...args) })
  }

  process!: Sessions<Data>

  get token(): string | null {
    return this.#token
  }

  async logIn(process: Sessions<Data>): Promise<void> {
    this.process = process
    await this.#jar.visit((session) => {
      session.clear()
      session.set('user', this.name)
    })
    this.#token = this.#jar.token
  }

  /** One request; tells whether its user was known. A request that meets a move may be told to try again. */
  async request(process: Sessions<Data>, writes: boolean): Promise<boolean> {
    this.process = process
    for (;;) {
      try {
        const user = await this.#jar.visit(async (session) => {
          const found = await session.get('user')
          if (writes) session.set('count', String(this.writes + 1))
          return found
        })
        if (writes) this.writes += 1
        this.#token = this.#jar.token
        return user === this.name
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_SESSION_GONE') throw error
      }
    }
  }

  async count(process: Sessions<Data>): Promise<string | undefined> {
    this.process = process
    return this.#jar.visit((session) => session.get('count'))
  }
}

test('no user is signed out, and no write is lost, on the way over and back, with 30 % writes', async () => {
  const browsers = Array.from({ length: 40 }, (_, n) => new Browser(`user ${n}`))
  const stages = [
    processes('shared', 'shared'),
    processes('shared', 'keeping'),
    processes('keeping', 'keeping'),
    processes('keeping', 'moving'),
    // The way back, and over again.
    processes('keeping', 'keeping'),
    processes('moving', 'keeping'),
    processes('moving', 'moving'),
  ]
  const [first] = stages[0] as Sessions<Data>[]
  await Promise.all(browsers.map((browser) => browser.logIn(first as Sessions<Data>)))
  for (const [stage, running] of stages.entries()) {
    const known = await Promise.all(
      browsers.map(async (browser, n) => {
        const answers: boolean[] = []
        for (let turn = 0; turn < 6; turn += 1) {
          const process = running[(n + turn) % running.length] as Sessions<Data>
          answers.push(await browser.request(process, (n + 3 * turn) % 10 < 3))
        }
        return answers.every(Boolean)
      }),
    )
    expect(known.filter(Boolean), `stage ${stage}`).toHaveLength(browsers.length)
    if (stage < 3) for (const { token } of browsers) expect(token).toMatch(/^[0-9a-f]{48}$/)
  }
  const last = stages.at(-1)?.[0] as Sessions<Data>
  for (const browser of browsers) {
    expect(await browser.count(last)).toBe(browser.writes === 0 ? undefined : `${browser.writes}`)
    expect(browser.token).toHaveLength(54)
  }
  expect(await original.keys()).toEqual([])
}, 60_000)

test('a browser that logs in during the first step can go back to the release before', async () => {
  const [shared, keeping] = processes('shared', 'keeping') as [Sessions<Data>, Sessions<Data>]
  const ann = new Browser('ann')
  await ann.logIn(keeping)
  expect(await ann.request(shared, true)).toBe(true)
  expect(await ann.request(keeping, true)).toBe(true)
})

test('every change reaches a session in either place during the first step', async () => {
  const [keeping, moving] = processes('keeping', 'moving') as [Sessions<Data>, Sessions<Data>]
  for (const place of ['old tables', 'new tables']) {
    const ann = new Visitor<Data>(keeping)
    await ann.visit((session) => session.set('user', 'ann'))
    if (place === 'new tables') {
      ann.token = await new Visitor<Data>(moving, ann.token).visit(async (session) => {
        await session.load()
        return ann.token
      })
    }
    await ann.visit((session) => session.update('user', (user) => `${user}!`))
    expect(await ann.visit((session) => session.get('user')), place).toBe('ann!')
    await ann.visit((session) => session.set('notice', 'hello'))
    expect(await ann.visit((session) => session.take('notice')), place).toBe('hello')
    await ann.visit((session) => session.delete('notice'))
    const before = ann.token
    await ann.visit((session) => session.rotate())
    expect(ann.token, place).not.toBe(before)
    expect(await ann.visit((session) => session.get('user')), place).toBe('ann!')
    await ann.visit((session) => {
      session.clear()
      session.set('user', 'bob')
    })
    expect(await ann.visit((session) => session.get('user')), place).toBe('bob')
    await ann.visit((session) => session.destroy())
    expect(ann.token, place).toBeNull()
  }
  expect((await keeping.count()).live).toBe(0)
})

test('a mapping does not go with the first step, since it has no way back', () => {
  const make = () => fromWai({ database: fromPg(original.pool), keepKeys: true, map: () => null })
  expect(make).toThrow('keepKeys does not go with map')
})

test('update in step 1 changes a value in any spelling that Haskell reads, or of another type', async () => {
  const [keeping] = processes('keeping') as [Sessions<Data>]
  const key = await original.begin({ user: 'ann' })
  await original.pool.query(
    // One byte too many, which Haskell passes over, and a value that is cut off.
    `update wai_pg_session_data set value = value || '\\x00';
     insert into wai_pg_session_data (wai_pg_session, key, value)
     select wai_pg_session, '\\x000000000000000163', '\\x00' from wai_pg_session_data`,
  )
  const ann = new Visitor(keeping, key)
  await ann.visit(async (session) => {
    await session.update('user', (user) => `${user} b`)
    await session.update('c', (current = 'none') => current)
  })
  const found = await ann.visit((session) => session.entries())
  expect(Object.fromEntries(found)).toEqual({ user: 'ann b', c: 'none' })
})
