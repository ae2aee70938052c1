import pg from 'pg'
import { createSessions, MemoryStore, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CallOptions } from '../../src/store/deadline.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** Every call ends within its deadline: load, queue, save and retries share one budget. */

interface Data {
  readonly count: number
}

describe('on a locked session', () => {
  const DEADLINE = 500
  let database: TestDatabase
  let pool: pg.Pool
  let sessions: Sessions<Data>

  beforeAll(async () => {
    database = await createTestDatabase()
    pool = new pg.Pool({ connectionString: database.url, max: 4 })
    sessions = createSessions<Data>({
      database: fromPg(pool),
      deadline: `${DEADLINE}ms`,
      log: false,
    })
    await sessions.ready()
  })
  afterAll(async () => {
    await sessions.close()
    await pool.end()
    await database.drop()
  })

  test('20 concurrent updates of one key all end by their deadline', async () => {
    const exchange = sessions.open(null)
    exchange.session.set('count', 0)
    const [cookie = ''] = (await exchange.commit()).setCookies
    const holder = new pg.Client({ connectionString: database.url })
    await holder.connect()
    await holder.query('begin; select from sessions.session for update')
    const ends = Array.from({ length: 20 }, async () => {
      const { session } = sessions.open(cookie.split(';')[0])
      await session.load()
      const startedAt = performance.now()
      const outcome = await session.update('count', (count = 0) => count + 1).catch((e) => e.code)
      return { outcome, took: performance.now() - startedAt }
    })
    for (const { outcome, took } of await Promise.all(ends)) {
      expect(outcome).toBe('ERR_STORE_UNAVAILABLE')
      // One after the other they would take up to 20 deadlines.
      expect(took).toBeLessThan(3 * DEADLINE)
    }
    await holder.query('commit')
    await holder.end()
    await sessions.open(cookie.split(';')[0]).session.update('count', (count = 0) => count + 1)
  })
})

describe('one budget', () => {
  const calls: Record<string, (sessions: Sessions<Data>, cookie: string) => Promise<unknown>> = {
    save: async (sessions, cookie) => {
      const { session } = sessions.open(cookie)
      session.set('count', 2)
      await session.save()
    },
    update: (sessions, cookie) => sessions.open(cookie).session.update('count', () => 2),
    take: (sessions, cookie) => sessions.open(cookie).session.take('count'),
    signIn: (sessions, cookie) => sessions.open(cookie).session.signIn('ann'),
    signOut: (sessions, cookie) => sessions.open(cookie).session.signOut(),
    commit: async (sessions, cookie) => {
      const exchange = sessions.open(cookie)
      exchange.session.clear()
      await exchange.commit()
    },
  }

  for (const [name, call] of Object.entries(calls)) {
    test(`is shared by the load and the write of ${name}`, async () => {
      const deadlines: unknown[] = []
      const store = new Proxy<SessionStore>(new MemoryStore(), {
        get(target, property: keyof SessionStore) {
          if (property === 'deadline') return 5000
          const member: unknown = target[property]
          if (typeof member !== 'function') return member
          return (...args: unknown[]) => {
            deadlines.push((args.at(-1) as CallOptions).deadline)
            return Reflect.apply(member, target, args)
          }
        },
      })
      const sessions = createSessions<Data>({ store, log: false })
      const exchange = sessions.open(null)
      exchange.session.set('count', 1)
      const [cookie = ''] = (await exchange.commit()).setCookies
      deadlines.length = 0
      await call(sessions, cookie.split(';')[0] ?? '')
      expect(deadlines).toHaveLength(2)
      expect(deadlines[0]).toMatchObject({ duration: 5000 })
      expect(deadlines[1]).toBe(deadlines[0])
    })
  }
})
