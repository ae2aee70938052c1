import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { storeContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

describe('PostgresStore', () => {
  let harness: PostgresStoreHarness

  beforeAll(async () => {
    harness = await openPostgresStore()
  })

  afterAll(() => harness.dispose())

  // One database for all tests, emptied before each: a new one for each would cost most of the time.
  storeContract({ describe, it }, async () => {
    await harness.pool.query('delete from sessions.session')
    const store = new PostgresStore({ driver: fromPg(harness.pool), migrate: 'off' })
    return { store, elapse: harness.elapse, dispose: () => store.close() }
  })
})
