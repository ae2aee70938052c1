import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { begin, changeOf, entry, inParallel } from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterEach(() => vi.useRealTimers())
afterAll(async () => {
  await harness.pool.end()
  await harness.database.drop()
})

const FAKED = ['setTimeout', 'setImmediate', 'setInterval', 'performance', 'Date'] as const

test('a call that waits for the only client, and a migration, outlast an hour of the faked clock', async () => {
  const { database } = harness
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  const store = new PostgresStore({ driver: fromPg(pool), schema: 'faked' })
  const taken = await pool.connect()
  vi.useFakeTimers({ toFake: [...FAKED] })
  const calls = Promise.all([store.ready(), store.count()])
  await vi.advanceTimersByTimeAsync(60 * 60 * 1000)
  taken.release()
  expect((await calls)[1]).toEqual({ live: 0, expired: 0 })
  await store.close()
  await pool.end()
})

test('concurrent saves and close() end though a test of the application has faked the timers', async () => {
  const { store } = harness
  const sessions = await inParallel(10, () => begin(store))
  vi.useFakeTimers({ toFake: [...FAKED] })
  for (let round = 0; round < 3; round += 1) {
    const written = [entry('a', `${round}`)]
    const saves = sessions.map((session) => store.save(changeOf(session, { written })))
    const results = await Promise.all(saves)
    expect(results.map(({ status }) => status)).toEqual(Array(10).fill('saved'))
  }
  await store.close()
})
