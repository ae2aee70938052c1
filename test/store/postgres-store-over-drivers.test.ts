import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPgClient } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import { storeContract } from 'pg-sessions/testing'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { openPglite } from '../support/pglite.ts'

/** A client of some kind, and what a test needs of it beside the driver. */
interface Opened {
  readonly driver: Driver
  close(): Promise<void>
}

async function openPostgresJs(): Promise<Opened> {
  const database = await createTestDatabase()
  const sql = postgres(database.url, { max: 5, onnotice: () => {} })
  const close = () => sql.end().then(() => database.drop())
  return { driver: fromPostgresJs(sql), close }
}

async function openSingleConnection(): Promise<Opened> {
  const database = await createTestDatabase()
  const client = new pg.Client(database.url)
  await client.connect()
  const close = () => client.end().then(() => database.drop())
  return { driver: fromPgClient(client), close }
}

async function openOnPglite(): Promise<Opened> {
  const db = await openPglite()
  return { driver: fromPglite(db), close: () => db.close() }
}

const TIMES = [
  'created_at',
  'authenticated_at',
  'last_access_at',
  'token_issued_at',
  'expires_at',
  'absolute_expires_at',
  'purge_at',
  'previous_until',
  'elevated_at',
]

describe.each([
  ['postgres.js', openPostgresJs],
  ['one pg.Client', openSingleConnection],
  ['PGlite', openOnPglite],
])('PostgresStore over %s', (_, open) => {
  let opened: Opened

  const run = (sql: string): Promise<void> =>
    opened.driver.withConnection((connection) => connection.run(sql))

  beforeAll(async () => {
    opened = await open()
    await new PostgresStore({ driver: opened.driver, deadline: '30s' }).ready()
  })

  afterAll(() => opened.close())

  storeContract({ describe, it }, async () => {
    await run('delete from sessions.session')
    // A single connection takes calls in turn, so many at once take longer than they would on a pool.
    const store = new PostgresStore({ driver: opened.driver, migrate: 'off', deadline: '20s' })
    const elapse = (milliseconds: number) =>
      run(
        `update sessions.session set ${TIMES.map((time) => `${time} = ${time} - ${milliseconds} * interval '1 ms'`).join(', ')}`,
      )
    return { store, elapse, dispose: () => store.close() }
  })
})
