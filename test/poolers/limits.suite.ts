import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { clients } from './applications.ts'
import { findPgBouncers, startPgBouncer } from './pgbouncer.ts'

interface Failure {
  readonly code: string
  readonly outcome?: string
  readonly message: string
}

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  await new PostgresStore({ driver: fromPg(pool) }).ready()
  await pool.end()
})
afterAll(() => database.drop())

async function failureOf(store: PostgresStore): Promise<Failure | undefined> {
  return await store.destroy({ id: randomUUID() }).then(
    () => undefined,
    (error: Failure) => error,
  )
}

async function connected(url: string): Promise<pg.Client | null> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  return await client.connect().then(
    () => client,
    () => null,
  )
}

/** Takes one of the pooler's connections to the server by an open transaction. */
async function takeOne(url: string): Promise<() => Promise<void>> {
  let client = await connected(url)
  // The probe that found the pooler running may still count as a client.
  while (client === null) client = await connected(url)
  await client.query('begin')
  const taken = client
  return async () => {
    await taken.query('commit').catch(() => {})
    await taken.end()
  }
}

const bouncers = await findPgBouncers()
const combinations = bouncers.flatMap((installed) =>
  Object.entries(clients).map(
    ([name, open]) => [installed.version, name, installed, open] as const,
  ),
)

describe.each(combinations)('at the limits of PgBouncer %s, %s', (_, name, installed, open) => {
  test('it takes no more clients: nothing was written, and its reason is shown', async () => {
    await using bouncer = await startPgBouncer(installed, database.url, {
      mode: 'transaction',
      settings: { max_client_conn: 1 },
    })
    const leave = await takeOne(bouncer.url)
    await using application = open(bouncer.url, { prepare: false })
    const store = new PostgresStore({ driver: application.driver, migrate: 'off' })
    const failure = await failureOf(store)
    expect(failure).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
    expect(failure?.message).toContain('no more connections allowed')
    await leave()
    await expect.poll(() => failureOf(store), { timeout: 10_000 }).toBeUndefined()
    await store.close()
  })

  test('its connections are all in use beyond query_wait_timeout: it says what to set, and later calls are served', async () => {
    await using bouncer = await startPgBouncer(installed, database.url, {
      mode: 'transaction',
      settings: { default_pool_size: 1, query_wait_timeout: 1 },
    })
    const leave = await takeOne(bouncer.url)
    await using application = open(bouncer.url, { prepare: false })
    const store = new PostgresStore({
      driver: application.driver,
      migrate: 'off',
      deadline: '30s',
    })
    const failure = await failureOf(store)
    expect(failure).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    // Of a server's last words before it closes a connection postgres.js passes none on.
    if (name === 'pg') {
      expect(failure?.outcome).toBe('none')
      expect(failure?.message).toContain('default_pool_size')
    }
    await leave()
    await expect.poll(() => failureOf(store), { timeout: 10_000 }).toBeUndefined()
    await store.close()
  })

  test('its connections are all in use until the deadline: the call ends in time, and later ones are served', async () => {
    await using bouncer = await startPgBouncer(installed, database.url, {
      mode: 'transaction',
      settings: { default_pool_size: 1 },
    })
    const leave = await takeOne(bouncer.url)
    await using application = open(bouncer.url, { prepare: false })
    const store = new PostgresStore({
      driver: application.driver,
      migrate: 'off',
      deadline: '500ms',
    })
    expect(await failureOf(store)).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await leave()
    await expect.poll(() => failureOf(store), { timeout: 10_000 }).toBeUndefined()
    await store.close()
  })

  test.skipIf(installed.tracks)(
    'it mixes up prepared statements: the error says to switch them off',
    async () => {
      await using bouncer = await startPgBouncer(installed, database.url, {
        mode: 'transaction',
        settings: { default_pool_size: 3, server_round_robin: 1 },
      })
      await using application = open(bouncer.url, { prepare: true })
      const store = new PostgresStore({
        driver: application.driver,
        migrate: 'off',
        groupCommit: false,
      })
      const failures: Failure[] = []
      for (let round = 0; round < 10; round += 1) {
        const answers = await Promise.all(Array.from({ length: 8 }, () => failureOf(store)))
        failures.push(...answers.filter((failure) => failure !== undefined))
      }
      for (const failure of failures) expect(failure.message).toContain('prepare: false')
      await store.close()
    },
  )
})
