import { readFileSync } from 'node:fs'
import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, expect, test } from 'vitest'
import { migrate } from '../../src/postgres/migrate.ts'
import { migrations } from '../../src/postgres/migrations/index.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { begin, recordOf, statusOf } from '../../src/testing/store-contract/samples.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const names = resolveTableNames()
const timeout = 20_000

let database: TestDatabase
let pool: pg.Pool

async function openAt(version: number): Promise<void> {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  await migrate(fromPg(pool), names, { timeout, migrations: migrations.slice(0, version) })
}

afterEach(async () => {
  await pool.end()
  await database.drop()
})

test('the statements of processes that knew version 1 still work on the tables of today', async () => {
  await openAt(migrations.length)
  const file = new URL('./statements-of-schema-1.json', import.meta.url)
  const statements: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'))
  expect(Object.keys(statements).length).toBeGreaterThan(20)
  const client = await pool.connect()
  for (const [name, text] of Object.entries(statements)) {
    await expect(client.query(`prepare old_${name} as ${text}`), name).resolves.toBeDefined()
  }
  // A session as such a process makes it, without the columns that it does not know.
  await client.query(`insert into sessions.session (id, secret_hash, created_at, last_access_at,
      token_issued_at, expires_at, absolute_expires_at, purge_at)
    select gen_random_uuid(), sha256('a'), now(), now(), now(), now() + '1h', now() + '1d', now() + '1h'`)
  client.release()
})

test('tables of version 1 are upgraded beside a process that goes on using them', async () => {
  await openAt(1)
  const before = new PostgresStore({ driver: fromPg(pool), migrate: 'off' })
  const session = await begin(before, { userId: 'ann' })
  let saves = 0
  let isUpgraded = false
  const traffic = (async () => {
    while (!isUpgraded || saves < 20) {
      const { status } = await before.save({ ...session, written: [], deleted: [] })
      expect(status).toBe('saved')
      saves += 1
    }
  })()
  const after = new PostgresStore({ driver: fromPg(pool) })
  await after.ready()
  isUpgraded = true
  await traffic
  expect(await recordOf(after, session)).toMatchObject({ id: session.id, userId: 'ann' })
  const { id, userId } = session
  expect(await after.describe({ id, userId, device: '{"label":"a"}' })).toEqual({
    status: 'described',
  })
  expect(await statusOf(before, session)).toBe('live')
  await before.close()
  await after.close()
})
