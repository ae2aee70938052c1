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

test('concurrent saves and close() end though a test of the application has faked the timers', async () => {
  const { store } = harness
  const sessions = await inParallel(10, () => begin(store))
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'setInterval', 'performance', 'Date'] })
  for (let round = 0; round < 3; round += 1) {
    const written = [entry('a', `${round}`)]
    const saves = sessions.map((session) => store.save(changeOf(session, { written })))
    const results = await Promise.all(saves)
    expect(results.map(({ status }) => status)).toEqual(Array(10).fill('saved'))
  }
  await store.close()
})
