import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { storeContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

describe.each([
  ['on distributed tables, whose calls share no statement', { distributed: true }, {}],
  ['without prepared statements', {}, { prepare: false }],
])('PostgresStore %s', (_, options, driverOptions) => {
  let harness: PostgresStoreHarness

  beforeAll(async () => {
    harness = await openPostgresStore()
  })

  afterAll(() => harness.dispose())

  // One database for all tests, emptied before each: a new one for each would cost most of the time.
  storeContract({ describe, it }, async () => {
    await harness.pool.query('delete from sessions.session')
    const driver = fromPg(harness.pool, driverOptions)
    const store = new PostgresStore({ driver, migrate: 'off', ...options })
    return { store, elapse: harness.elapse, dispose: () => store.close() }
  })
})
