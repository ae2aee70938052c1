import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Statement } from '../../src/postgres/driver.ts'
import { operationOf } from '../postgres/recording-driver.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { fillSessions } from './many-sessions.ts'

/*
 * What the admin page costs PostgreSQL at a million sessions. Blocks of the database are the measure, which no
 * machine's speed changes; the milliseconds that they took are printed.
 */

const SESSIONS = 1_000_000

/** Blocks of 8 kB that a statement may touch. The table of sessions has 30 000. */
const MOST_BLOCKS: Readonly<Record<string, number>> = {
  inspect_tables: 2_000,
  inspect_purge: 10_500,
  inspect_sample: 2_500,
  inspect_newest: 300,
  inspect_user: 300,
  inspect_label: 12_000,
  inspect_session: 10,
  inspect_keys: 10,
  inspect_entries: 10,
}

let harness: PostgresStoreHarness
let client: pg.Client
let store: PostgresStore
const sent: Statement[] = []

beforeAll(async () => {
  harness = await openPostgresStore()
  client = new pg.Client({ connectionString: harness.database.url })
  await client.connect()
  await fillSessions(client, SESSIONS)
  const driver = fromPg(harness.pool)
  store = new PostgresStore({
    migrate: 'off',
    driver: {
      ...driver,
      query(statement, options) {
        sent.push(statement)
        return driver.query(statement, options)
      },
    },
  })
})
afterAll(async () => {
  await store?.close()
  await client?.end()
  await harness?.dispose()
})

test('estimates a million sessions by a sample', async () => {
  const { sessions, purge } = await store.inspector.figures()
  expect(sessions?.isExact).toBe(false)
  expect(sessions?.stored).toBeGreaterThan(0.99 * SESSIONS)
  expect(sessions?.stored).toBeLessThan(1.01 * SESSIONS)
  expect(sessions?.live).toBeGreaterThan(0.85 * SESSIONS)
  expect(sessions?.users).toBeGreaterThan(0.2 * SESSIONS)
  expect(sessions?.users).toBeLessThan(0.3 * SESSIONS)
  expect(purge.backlog).toBe(0)
  console.log(JSON.stringify(sessions))
})

test('touches few blocks for each view', async () => {
  const [newest] = await store.inspector.newest({ before: null, limit: 50 })
  const id = newest?.id ?? ''
  await store.inspector.ofUser({ userId: 'user-7', limit: 201 })
  await store.inspector.withLabel({ label: 'safari', among: 20_000, limit: 50 })
  await store.inspector.session(id)
  await store.inspector.keys({ id, limit: 201 })
  await store.inspector.entries({ id, keys: [Buffer.from('basket')], bytes: 8192 })
  await client.query(
    `update sessions.session set expires_at = now() - interval '1 h', purge_at = now() - interval '1 h'
     where user_id is null`,
  )
  await store.inspector.figures()
  await client.query('set plan_cache_mode = force_generic_plan')
  let milliseconds = 0
  for (const statement of new Map(sent.map((each) => [each.name, each])).values()) {
    const name = operationOf(statement.name)
    const { blocks, time } = await costOf(statement)
    console.log(`${name.padEnd(18)}${blocks} blocks, ${time.toFixed(1)} ms`)
    expect(blocks, name).toBeLessThanOrEqual(MOST_BLOCKS[name] ?? 0)
    if (/tables|purge|sample|newest/.test(name)) milliseconds += time
  }
  console.log(`the first page takes ${milliseconds.toFixed(0)} ms of PostgreSQL`)
})

async function costOf({
  name,
  text,
  values,
}: Statement): Promise<{ blocks: number; time: number }> {
  await client.query(`prepare ${name} as ${text}`)
  const given = values.map((value) => (value === null ? 'null' : client.escapeLiteral(value)))
  const { rows } = await client.query(
    `explain (analyze, buffers, format json) execute ${name}(${given.join(', ')})`,
  )
  const [{ Plan: plan, 'Execution Time': time }] = rows[0]['QUERY PLAN']
  return { blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'], time }
}
