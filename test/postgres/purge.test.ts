import pg from 'pg'
import { createSessions, PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  begin,
  changeOf,
  contentOf,
  entry,
  HOUR,
  lifetime,
  MINUTE,
  statusOf,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

let harness: PostgresStoreHarness
let store: SessionStore

beforeAll(async () => {
  harness = await openPostgresStore()
  store = harness.store
})
beforeEach(() => harness.pool.query('delete from sessions.session'))
afterAll(() => harness.dispose())

/** Sessions with an entry each, dead for a minute. */
async function fillWithDead(count: number): Promise<void> {
  await harness.pool.query(
    `with dead as (
       insert into sessions.session (id, secret_hash, created_at, last_access_at, token_issued_at,
         expires_at, absolute_expires_at, purge_at)
       select gen_random_uuid(), sha256(''), now(), now(), now(), at, 'infinity', at
       from generate_series(1, $1::int), (select now() - interval '1 minute' as at) as a
       returning id
     )
     insert into sessions.session_data select id, 'key', 'value' from dead`,
    [count],
  )
}

async function countRows(): Promise<{ sessions: number; entries: number }> {
  const { rows } = await harness.pool.query(
    `select (select count(*)::int from sessions.session) as sessions,
       (select count(*)::int from sessions.session_data) as entries`,
  )
  return rows[0]
}

/** Runs `use` while another client's transaction, in which `sql` has run, is open. */
async function whileOpen(sql: string, use: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: harness.database.url })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(sql)
    await use()
    await client.query('commit')
  } finally {
    await client.end()
  }
}

test('a batch deletes no more than it may, entries included, and nothing alive', async () => {
  const alive = await begin(store, { entries: [entry('a', '1')] })
  await fillWithDead(25)
  expect(await store.purge(10)).toBe(10)
  expect(await countRows()).toEqual({ sessions: 16, entries: 16 })
  expect(await store.purge(10)).toBe(10)
  expect(await store.purge(10)).toBe(5)
  expect(await store.purge(10)).toBe(0)
  expect(await contentOf(store, alive)).toEqual({ a: '1' })
})

test('a whole purge goes batch by batch and tells how far it is', async () => {
  await fillWithDead(25)
  const sessions = createSessions({ store, log: false })
  const progress: number[] = []
  const removed = await sessions.purge({ batchSize: 10, onProgress: (n) => progress.push(n) })
  expect(removed).toBe(25)
  expect(progress).toEqual([10, 20, 25])
})

test('purgers on several processes share the work, and each session goes once', async () => {
  await fillWithDead(1000)
  const pools = Array.from(
    { length: 4 },
    () => new pg.Pool({ connectionString: harness.database.url }),
  )
  const purgers = pools.map((pool) => {
    const own = new PostgresStore({ driver: fromPg(pool), migrate: 'off' })
    return createSessions({ store: own, log: false })
  })
  const removed = await Promise.all(purgers.map((sessions) => sessions.purge({ batchSize: 25 })))
  expect(removed.reduce((sum, part) => sum + part)).toBe(1000)
  expect(await countRows()).toEqual({ sessions: 0, entries: 0 })
  await Promise.all(pools.map((pool) => pool.end()))
})

test('a purger takes the rows that another one has not locked, and does not wait', async () => {
  await fillWithDead(20)
  const half = 'select from sessions.session order by purge_at, id limit 10 for update'
  await whileOpen(half, async () => {
    expect(await store.purge(20)).toBe(10)
    expect(await store.purge(20)).toBe(0)
  })
  expect(await store.purge(20)).toBe(10)
})

test('a session that is extended while a purge goes by stays', async () => {
  const session = await begin(store, { entries: [entry('a', '1')] })
  await harness.elapse(2 * HOUR)
  await fillWithDead(3)
  const extend = `update sessions.session
    set expires_at = now() + interval '1 h', purge_at = now() + interval '1 h'
    where id = '${session.id}'`
  await whileOpen(extend, async () => {
    expect(await store.purge(10)).toBe(3)
  })
  expect(await store.purge(10)).toBe(0)
  expect(await contentOf(store, session)).toEqual({ a: '1' })
})

test('loads, saves and new sessions go on while a purge is under way', async () => {
  const session = await begin(store, { entries: [entry('a', '1')] })
  const dying = await begin(store, { lifetime: { idle: MINUTE, purge: MINUTE } })
  await harness.elapse(2 * MINUTE)
  await fillWithDead(50)
  const purge = `delete from sessions.session where purge_at <= now()`
  await whileOpen(purge, async () => {
    await store.save(changeOf(session, { written: [entry('a', '2')] }))
    expect(await contentOf(store, session)).toEqual({ a: '2' })
    expect(await statusOf(store, dying)).toBe('expired')
    await begin(store, { entries: [entry('b', '1')] })
    await store.touch({ id: session.id, lifetime })
    expect(await store.purge(100)).toBe(0)
  })
  expect(await statusOf(store, dying)).toBe('unknown')
})

test('a touch that beats the purge to a session keeps it, one that is late revives nothing', async () => {
  for (let round = 0; round < 10; round += 1) {
    const session = await begin(store, { lifetime: { idle: 50, purge: 50 } })
    const [removed] = await Promise.all([
      store.purge(10),
      store.touch({ id: session.id, lifetime }),
    ])
    expect(removed).toBe(0)
    await harness.elapse(3 * HOUR)
    await Promise.all([store.purge(10), store.touch({ id: session.id, lifetime })])
    expect(await statusOf(store, session)).toBe('unknown')
  }
})

test('the dead stay until their coarse bound, refused all the while', async () => {
  const session = await begin(store, { lifetime: { idle: HOUR, purge: HOUR } })
  await store.touch({ id: session.id, lifetime: { idle: HOUR, purge: 2 * HOUR } })
  await harness.elapse(90 * MINUTE)
  expect(await statusOf(store, session)).toBe('expired')
  expect(await store.purge(10)).toBe(0)
  await harness.elapse(30 * MINUTE)
  expect(await store.purge(10)).toBe(1)
})

test('no session in use is purged later than 30 touch intervals after its end', async () => {
  const sessions = createSessions({ store, log: false, idleTimeout: '1h', touchInterval: '1m' })
  const first = sessions.open(null)
  first.session.set('a', 1)
  const { setCookies } = await first.commit()
  const cookie = setCookies[0]?.split(';')[0]
  for (let visit = 0; visit < 70; visit += 1) {
    await harness.elapse(61_000)
    const exchange = sessions.open(cookie)
    exchange.session.set('a', visit)
    await exchange.commit()
    const { rows } = await harness.pool.query<{ slack: number }>(
      'select extract(epoch from purge_at - expires_at)::float8 as slack from sessions.session',
    )
    expect(rows[0]?.slack).toBeGreaterThanOrEqual(0)
    expect(rows[0]?.slack).toBeLessThanOrEqual(30 * 60)
  }
})

test('a session that no visitor came back to goes with the first purge after its end', async () => {
  const sessions = createSessions({ store, log: false, idleTimeout: '1h' })
  const exchange = sessions.open(null)
  exchange.session.set('a', 1)
  await exchange.commit()
  await harness.elapse(59 * MINUTE)
  expect(await sessions.purge()).toBe(0)
  await harness.elapse(MINUTE)
  expect(await sessions.purge()).toBe(1)
})
