import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { adapterContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { openExpressApplication } from './express-application.ts'

describe('expressSessions on PostgresStore', () => {
  let harness: PostgresStoreHarness

  beforeAll(async () => {
    harness = await openPostgresStore()
  })

  afterAll(() => harness.dispose())

  adapterContract({ describe, it }, openExpressApplication, {
    openStore: () => new PostgresStore({ driver: fromPg(harness.pool), migrate: 'off' }),
  })
})
