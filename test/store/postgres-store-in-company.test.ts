import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { storeContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordingDriver } from '../postgres/recording-driver.ts'
import { inCompany } from '../support/in-company.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

describe('PostgresStore whose calls share their statements', () => {
  let harness: PostgresStoreHarness
  const sent = new Set<string>()

  beforeAll(async () => {
    harness = await openPostgresStore()
  })

  afterAll(async () => {
    await harness.dispose()
    expect([...sent]).toEqual(
      expect.arrayContaining([
        ...['load_many', 'save_many', 'save_credentials_many', 'touch_many', 'create_many'],
        'destroy_many',
      ]),
    )
  })

  storeContract({ describe, it }, async () => {
    await harness.pool.query('delete from sessions.session')
    const recorded = recordingDriver(fromPg(harness.pool))
    const store = new PostgresStore({ driver: recorded.driver, migrate: 'off' })
    return {
      store: inCompany(store),
      elapse: harness.elapse,
      dispose: async () => {
        await store.close()
        for (const operation of recorded.sent) sent.add(operation)
      },
    }
  })
})
