import pg from 'pg'
import { fromPgClient } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import type { TestRunner } from 'pg-sessions/testing'
import postgres from 'postgres'
import { describe, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { type Opened, openOnPglite, storeContractOver } from './store-over-driver.ts'

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

/** The first test of each group, and each fifth after it. */
const sample: TestRunner = (() => {
  let count = 0
  return {
    describe: (name, body) => {
      describe(name, () => {
        count = 0
        body()
      })
    },
    it: (name, body) => {
      if (count % 5 === 0) it(name, body)
      count += 1
    },
  }
})()

describe.each<[string, () => Promise<Opened>, TestRunner]>([
  ['postgres.js', openPostgresJs, { describe, it }],
  ['one pg.Client', openSingleConnection, { describe, it }],
  // It takes four times as long as the others. `npm run test:proof` runs the whole contract on it.
  ['PGlite', openOnPglite, sample],
])('PostgresStore over %s', (_, open, runner) => {
  storeContractOver(open, runner)
})
