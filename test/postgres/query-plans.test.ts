import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { everyStatement } from './every-statement.ts'
import { readPlan } from './read-plan.ts'

/*
 * How PostgreSQL goes about each statement of the store, once it has prepared it, at 20 000 sessions of
 * five entries. Every plan is written down in a golden file; `npx vitest run test/postgres/query-plans -u`
 * writes it again.
 */

const SESSIONS = 20_000

/** As many as a new store has before PostgreSQL first analyzes its tables. */
const FEW = 2000

let harness: PostgresStoreHarness
let client: pg.Client
const plans: Record<string, string> = {}
let planWithFew = ''

beforeAll(async () => {
  harness = await openPostgresStore()
  client = new pg.Client({ connectionString: harness.database.url })
  await client.connect()
  await client.query('set plan_cache_mode = force_generic_plan')
  const statements = [...(await everyStatement(harness.pool))].sort()
  await client.query(`alter table sessions.session set (autovacuum_enabled = false)`)
  await fill(FEW)
  planWithFew = await planOf('load_many', new Map(statements).get('load_many') ?? '')
  await client.query('truncate sessions.session, sessions.session_data; deallocate all')
  await fill(SESSIONS)
  await client.query('vacuum analyze sessions.session, sessions.session_data')
  for (const [name, text] of statements) {
    // It asks the catalog alone, whose plans differ from release to release.
    if (name !== 'inspect_tables') plans[name] = await planOf(name, text)
  }
})
afterAll(async () => {
  await client.end()
  await harness.dispose()
})

/** Sessions as they are in use: half of them signed in, two to a user; one in twenty dead. */
async function fill(sessions: number): Promise<void> {
  await client.query(
    `insert into sessions.session (id, secret_hash, user_id, created_at, last_access_at,
       token_issued_at, expires_at, absolute_expires_at, purge_at)
     select gen_random_uuid(), sha256(n::text::bytea),
       case when n % 2 = 0 then 'user-' || n / 4 end,
       now() - interval '1 day', seen, now() - interval '1 day', seen + interval '1 hour',
       now() + interval '1 day', seen + interval '90 minutes'
     from generate_series(1, $1::int) as n,
       lateral (select now() - n * interval '100 minutes' / $1::int as seen) as s`,
    [sessions],
  )
  await client.query(
    `insert into sessions.session_data (session_id, key, value)
     select id, ('key-' || n)::bytea, repeat('x', 100)::bytea
     from sessions.session, generate_series(1, 5) as n`,
  )
}

async function planOf(name: string, text: string): Promise<string> {
  const parameters = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)))
  const values = Array.from({ length: parameters }, () => 'null').join(', ')
  await client.query(`prepare plan_of_${name} as ${text}`)
  const { rows } = await client.query<{ 'QUERY PLAN': unknown }>(
    `explain (format json, costs off) execute plan_of_${name}${values && `(${values})`}`,
  )
  return readPlan(rows[0]?.['QUERY PLAN'])
}

test('there is a plan for every statement', () => {
  expect(Object.keys(plans).length).toBeGreaterThan(20)
})

test('no statement but that which counts reads a table from end to end', () => {
  const reading = Object.keys(plans).filter((name) => plans[name]?.includes('Seq Scan'))
  expect(reading).toEqual(['count'])
})

// A connection keeps its plan until the tables are analyzed, however much they grow.
test('a shared load looks sessions up by id in a table that was never analyzed', () => {
  expect(planWithFew).toContain('Lookup by session_pkey on session')
})

test('only counting reads the whole table', () => {
  expect(plans.count).toMatch(/Seq Scan on session$/m)
})

test('purge finds the dead by their own index', () => {
  expect(plans.purge).toContain('session_purge_at_idx')
})

test('the sessions of a user are found by their own index', () => {
  for (const name of ['list_by_user', 'destroy_by_user']) {
    expect(plans[name]).toContain('session_user_id_idx')
  }
})

test('every plan is the one that was written down', async ({ skip }) => {
  const { rows } = await client.query<{ version: string }>(
    `select current_setting('server_version_num') as version`,
  )
  skip(
    Number(rows[0]?.version) < 170_000,
    'older planners memoize and sort where newer ones need not',
  )
  const golden = Object.entries(plans).map(([name, plan]) => `${name}\n${plan}\n`)
  await expect(golden.join('\n')).toMatchFileSnapshot('query-plans.golden.txt')
})
