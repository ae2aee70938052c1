import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sample, statusOf } from '../../src/testing/store-contract/samples.ts'
import { operationOf } from '../postgres/recording-driver.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { clients, everyClient, type OpenClient } from './clients.ts'

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())

describe.each(clients(['pg'], everyClient))('with %s', (_, client) => {
  let opened: OpenClient

  beforeAll(async () => {
    opened = await client.open(harness.database.url)
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  /** A store whose first `create` is applied, and its reply lost; `meanwhile` happens before the caller knows. */
  function openLosing(meanwhile: () => Promise<unknown>): PostgresStore {
    const { driver } = opened
    let isLost = false
    const losing: Driver = {
      ...driver,
      async query(statement, options) {
        const rows = await driver.query(statement, options)
        if (isLost || operationOf(statement.name) !== 'create') return rows
        isLost = true
        await meanwhile()
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
      },
    }
    return new PostgresStore({ driver: losing, migrate: 'off' })
  }

  test('a session whose first save lost its reply, and that was ended before the retry, stays ended', async () => {
    const session = sample({ userId: 'ann' })
    const store = openLosing(() => harness.store.destroy({ id: session.id }))
    await expect(store.create(session)).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      outcome: 'unknown',
    })
    expect(await statusOf(harness.store, session)).toBe('unknown')
  })

  test('a session whose first save lost its reply is found, and its visitor has it', async () => {
    const session = sample({ userId: 'ann' })
    const result = await openLosing(async () => {}).create(session)
    expect(result).toMatchObject({ status: 'created' })
    expect(await statusOf(harness.store, session)).toBe('live')
  })
})
