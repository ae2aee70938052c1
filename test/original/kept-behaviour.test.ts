import pg from 'pg'
import {
  createSessions,
  defaultSettings,
  MemoryStore,
  PostgresStore,
  randomToken,
} from 'pg-sessions'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fromClientInTransaction } from '../support/client-in-transaction.ts'
import { Visitor } from '../support/each-store-visitor.ts'
import { watchStore } from '../support/each-store-watch.ts'
import { elapse, openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

/** What wai-session-postgresql does well (K1 to K10 of our notes on it), and is the same here. */

let harness: PostgresStoreHarness
let pool: pg.Pool
beforeAll(async () => {
  harness = await openPostgresStore()
  pool = harness.pool
})
beforeEach(() => pool.query('delete from sessions.session'))
afterAll(() => harness.dispose())

type Data = Record<string, unknown>

function open(): (token?: string | null) => Visitor<Data> {
  const sessions = createSessions<Data>({ database: fromPg(pool), idleTimeout: '1h', log: false })
  return (token) => new Visitor(sessions, token)
}

async function row(): Promise<Record<string, unknown>> {
  const { rows } = await pool.query('select *, ctid::text from sessions.session')
  expect(rows).toHaveLength(1)
  return rows[0] as Record<string, unknown>
}

it('K1: rotation updates one row and moves no data; a request that began before it goes on', async () => {
  const visitor = open()
  const ann = visitor()
  await ann.visit((session) => session.set('a', 1))
  const entries = 'select *, ctid::text, xmin::text from sessions.session_data'
  const [before, dataBefore] = [await row(), (await pool.query(entries)).rows]
  const captured = ann.twin().open()
  await captured.session.load()
  await ann.visit((session) => session.rotate())
  const after = await row()
  expect(after.id).toBe(before.id)
  expect(after.created_at).toEqual(before.created_at)
  expect(after.secret_hash).not.toEqual(before.secret_hash)
  expect((await pool.query(entries)).rows).toEqual(dataBefore)

  captured.session.set('b', 2)
  await captured.commit()
  expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
    a: 1,
    b: 2,
  })
})

it('K2: one row a key, so that writers of different keys never lose each other', async () => {
  const visitor = open()
  const ann = visitor()
  await ann.visit((session) => session.set('first', 1))
  const requests = Array.from({ length: 20 }, () => ann.twin().open())
  await Promise.all(requests.map(({ session }) => session.load()))
  await Promise.all(
    requests.map(({ session, commit }, n) => {
      session.set(`key ${n}`, n)
      session.set('shared', n)
      return commit()
    }),
  )
  const { rows } = await pool.query('select from sessions.session_data')
  expect(rows).toHaveLength(22)
})

it('K3: an unknown, expired or foreign token gets a fresh id and is never adopted', async () => {
  const visitor = open()
  const ann = visitor()
  await ann.visit((session) => session.set('a', 1))
  const expired = ann.token
  await elapse(pool, 3_600_000)
  for (const token of ['A'.repeat(54), expired, 'foreign']) {
    const client = visitor(token)
    await client.visit((session) => session.set('b', 1))
    expect(client.token).not.toBe(token)
    expect(client.token?.slice(0, 22)).not.toBe(token?.slice(0, 22))
  }
})

describe('K4: the idle timeout counts from the last access', () => {
  it('and what is alive and what a purge may delete are exact complements', async () => {
    let now = Date.UTC(2026, 0, 1)
    const store = new MemoryStore({ now: () => now })
    const sessions = createSessions({ store, idleTimeout: '1h', log: false })
    const ann = new Visitor(sessions)
    await ann.visit((session) => session.set('a', 1))
    now += 3_600_000 - 1
    expect(await store.purge(10)).toBe(0)
    expect(await sessions.count()).toEqual({ live: 1, expired: 0 })
    now += 1
    expect(await ann.visit((session) => session.get('a'))).toBeUndefined()
    expect(await sessions.count()).toEqual({ live: 0, expired: 1 })
    expect(await store.purge(10)).toBe(1)
  })

  it('in PostgreSQL too: at every moment a session is alive or may be purged, never both', async () => {
    const visitor = open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    // Within one transaction the clock stands still, and so the exact boundary can be met.
    for (const [expiry, isAlive] of [
      ['now()', false],
      [`now() + interval '1 microsecond'`, true],
      [`now() - interval '1 microsecond'`, false],
    ] as const) {
      const client = await pool.connect()
      await client.query('begin')
      await client.query(`update sessions.session set expires_at = ${expiry}, purge_at = ${expiry}`)
      const store = new PostgresStore({ driver: fromClientInTransaction(client), migrate: 'off' })
      const counts = await store.count()
      expect(counts).toEqual({ live: isAlive ? 1 : 0, expired: isAlive ? 0 : 1 })
      expect(await store.purge(10)).toBe(isAlive ? 0 : 1)
      await client.query('rollback')
      client.release()
    }
  })
})

it('K5: expiry is judged on every read, without a purger; data goes with its session', async () => {
  const visitor = open()
  const ann = visitor()
  await ann.visit((session) => session.set('a', 1))
  await elapse(pool, 3_600_000)
  expect(await ann.visit((session) => session.get('a'))).toBeUndefined()
  expect((await pool.query('select from sessions.session_data')).rowCount).toBe(1)
  await pool.query('delete from sessions.session')
  expect((await pool.query('select from sessions.session_data')).rowCount).toBe(0)
  const indexes = await pool.query(
    `select indexdef from pg_indexes where schemaname = 'sessions' and indexdef like '%(purge_at)'`,
  )
  expect(indexes.rowCount).toBe(1)
})

it('K6: a value that does not decode counts as absent, and can be written again', async () => {
  const visitor = open()
  const ann = visitor()
  await ann.visit((session) => {
    session.set('broken', 1)
    session.set('good', 1)
  })
  await pool.query(
    `update sessions.session_data set value = '\\xff' where key = convert_to('broken', 'UTF8')`,
  )
  expect(await ann.visit((session) => session.entries())).toEqual([['good', 1]])
  await ann.visit((session) => session.set('broken', 'mended'))
  expect(await ann.visit((session) => session.get('broken'))).toBe('mended')
})

describe('K7: the same settings', () => {
  it('timeout, key generator, tables, log and purge interval, with the same defaults', async () => {
    expect(defaultSettings).toMatchObject({
      idleTimeout: '1h',
      migrate: 'auto',
      purgeInterval: '10m',
    })
    const lines: string[] = []
    const secrets: string[] = []
    const line = (_facts: object, message: string): void => {
      lines.push(message)
    }
    const sessions = createSessions({
      database: fromPg(pool),
      idleTimeout: '20m',
      generateSecret: () => {
        secrets.push(randomToken(24))
        return String(secrets.at(-1))
      },
      migrate: 'off',
      log: { debug: line, info: line, warn: line, error: line },
      purgeInterval: '1m',
    })
    const ann = new Visitor(sessions)
    await ann.visit((session) => session.set('a', 1))
    expect(ann.token).toContain(secrets.at(-1))
    expect(lines).toEqual(['session created'])
    await sessions.close()
  })

  it('a pool or one connection behind a mutex', async () => {
    const client = new pg.Client({ connectionString: harness.database.url })
    await client.connect()
    const sessions = createSessions({ database: fromPgClient(client), log: false })
    const visitors = Array.from({ length: 20 }, () => new Visitor(sessions))
    await Promise.all(visitors.map((it, n) => it.visit((session) => session.set('n', n))))
    const read = await Promise.all(visitors.map((it) => it.visit((session) => session.get('n'))))
    expect(read).toEqual(visitors.map((_, n) => n))
    await sessions.close()
    await client.end()
  })
})

it('K8: access and cookie are settled when the response is sent, not when the session is read', async () => {
  const watched = watchStore(new PostgresStore({ driver: fromPg(pool), migrate: 'off' }))
  const sessions = createSessions<Data>({ store: watched.store, log: false })
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('a', 1))
  await elapse(pool, 30 * 60_000)
  const before = await row()
  const { session, commit } = ann.open()
  await session.get('a')
  await watched.settled()
  expect(await row()).toEqual(before)
  expect(watched.calls).not.toContain('touch')
  await commit()
  await watched.settled()
  expect(watched.calls).toContain('touch')
  await expect.poll(async () => (await row()).last_access_at).not.toEqual(before.last_access_at)
})

it('K9: clear wipes the data and forces a new id and token, both or neither', async () => {
  const visitor = open()
  const ann = visitor()
  await ann.visit((session) => session.set('a', 1))
  const before = await row()
  const old = ann.twin()

  // A handler that crashes after it has asked for the clear, before its response, has changed nothing.
  const crashed = ann.open()
  await crashed.session.load()
  crashed.session.clear()
  expect(await old.visit((session) => session.get('a'))).toBe(1)

  await ann.visit((session) => session.clear())
  const after = await row()
  expect(after.id).not.toBe(before.id)
  expect((await pool.query('select from sessions.session_data')).rowCount).toBe(0)
  expect(await old.visit(async (session) => session.load().then(() => session.id))).toBeNull()
  expect(await ann.visit(async (session) => session.load().then(() => session.id))).toBe(after.id)
})

it('K10: a cookie goes in, reading and writing in between, and the finaliser gives the cookie', async () => {
  const sessions = createSessions({ database: fromPg(pool), log: false })
  const first = sessions.open(null)
  first.session.set('greeting', 'hello')
  const { setCookies } = await first.commit()
  const cookie = String(setCookies[0]).split(';')[0]
  const second = sessions.open(cookie)
  expect(await second.session.get('greeting')).toBe('hello')
  expect((await second.commit()).setCookies).toEqual([])
})
