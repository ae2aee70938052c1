import { Client, Pool } from 'pg'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { diagnose } from '../../src/postgres/doctor/diagnose.ts'
import type { Finding } from '../../src/postgres/doctor/finding.ts'
import type { PurgeFacts, ServerFacts } from '../../src/postgres/doctor/read-server.ts'
import { serverFindings } from '../../src/postgres/doctor/server-findings.ts'
import { migrate } from '../../src/postgres/migrate.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { type OwnServer, startOwnServer } from '../support/own-server.ts'

/** Faults are planted one by one, each in a database of its own, on a server whose settings are those of a real one. */

const names = resolveTableNames({})
const timeout = 30_000

let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer({
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
  })
  await run(server.url, 'create database healthy')
  const pool = new Pool({ connectionString: urlOf('healthy') })
  await migrate(fromPg(pool), names, { timeout })
  await pool.end()
})
afterAll(() => server[Symbol.asyncDispose]())

function urlOf(database: string): string {
  const url = new URL(server.url)
  url.pathname = `/${database}`
  return url.href
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

let databases = 0

/** The codes of what is found in a database with our tables in which this SQL has run. */
async function codesAfter(sql: string, options = ''): Promise<string[]> {
  const database = `planted_${databases++}`
  await run(server.url, `create database ${database} template healthy`)
  if (sql !== '') await run(urlOf(database), sql)
  const url = new URL(urlOf(database))
  if (options !== '') url.searchParams.set('options', options)
  const pool = new Pool({ connectionString: url.href })
  onTestFinished(() => pool.end())
  const findings = await diagnose(fromPg(pool), names, { timeout })
  for (const { what, effect, remedy } of findings) {
    for (const sentence of [what, effect, remedy]) expect(sentence).toMatch(/[.;]$/)
  }
  return findings.map(({ code }) => code)
}

test('nothing is found where all is well', async () => {
  expect(await codesAfter('')).toEqual([])
})

const SESSION = `insert into sessions.session (id, secret_hash, created_at, last_access_at, token_issued_at,
  expires_at, absolute_expires_at, purge_at)
  select gen_random_uuid(), sha256(g::text::bytea), t, t, t, t, t, t
  from generate_series(1, 3) as g, (select now() - interval '3 days') as x (t)`

test.for([
  ['ERR_SCHEMA_MISSING', 'drop schema sessions cascade'],
  ['unlogged-table', 'alter table sessions.session_data set unlogged'],
  ['autovacuum-off', 'alter table sessions.session set (autovacuum_enabled = false)'],
  ['missing-index', 'drop index sessions.session_purge_at_idx'],
  ['missing-index', 'drop index sessions.session_user_id_idx'],
  ['missing-index', 'drop index sessions.session_tags_idx'],
  ['rule', 'create rule keep as on delete to sessions.session do instead nothing'],
  ['constraint', "alter table sessions.session add check (user_id <> 'ann')"],
  ['unique-index', 'create unique index on sessions.session (user_id)'],
  ['reference', 'create table public.cart (session_id uuid references sessions.session (id))'],
  [
    'collation',
    "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); alter table sessions.session alter user_id type text collate ci",
  ],
  ['short-column', 'alter table sessions.session alter user_id type varchar(3)'],
  [
    'replica-role',
    'do $$ begin execute format($f$ alter database %I set session_replication_role = replica $f$, current_database()); end $$',
  ],
  ['missing-index', 'alter table sessions.session_data drop constraint session_data_pkey'],
  ['index-on-touched-column', 'create index on sessions.session (expires_at)'],
  ['index-on-touched-column', 'create index on sessions.session (user_id, last_access_at)'],
  [
    'trigger',
    'create function f() returns trigger language plpgsql as $$ begin return new; end $$; create trigger audit before update on sessions.session for each row execute function f()',
  ],
  ['foreign-key-off', 'alter table sessions.session disable trigger all'],
  [
    'foreign-key-missing',
    'alter table sessions.session_data drop constraint session_data_session_id_fkey',
  ],
  ['purge-overdue', SESSION],
  [
    'synchronous-commit-off',
    'do $$ begin execute format($f$ alter database %I set synchronous_commit = off $f$, current_database()); end $$',
  ],
  [
    'read-only',
    'do $$ begin execute format($f$ alter database %I set default_transaction_read_only = on $f$, current_database()); end $$',
  ],
] as const)('finds %s after: %s', async ([code, sql]) => {
  expect(await codesAfter(sql)).toEqual([code])
})

test('finds a column that refuses new sessions', async () => {
  // Recognized as ours by the columns that the migrations leave, so the application starts.
  const codes = await codesAfter(
    'alter table sessions.session_data add column tenant text not null',
  )
  expect(codes.length).toBe(1)
  expect(['column-without-default', 'ERR_SCHEMA_MISSING']).toContain(codes[0])
})

describe('a role that owns nothing', () => {
  beforeAll(() => run(server.url, "create role app login password 'secret'"))

  async function findingAfter(sql: string): Promise<Finding | undefined> {
    const database = `planted_${databases++}`
    await run(server.url, `create database ${database} template healthy`)
    await run(urlOf(database), `grant usage on schema sessions to app; ${sql}`)
    const url = new URL(urlOf(database))
    url.username = 'app'
    url.password = 'secret'
    const pool = new Pool({ connectionString: url.href })
    onTestFinished(() => pool.end())
    return (await diagnose(fromPg(pool), names, { timeout }))[0]
  }

  const all = `grant select on sessions.migration to app;
    grant select, insert, update, delete on sessions.session, sessions.session_data to app;`

  test('is well with the rights that the schema names', async () => {
    expect(await findingAfter(all)).toBeUndefined()
  })

  test('may not enter the schema', async () => {
    const finding = await findingAfter('revoke usage on schema sessions from app')
    expect(finding).toMatchObject({ severity: 'error' })
    expect(finding?.what).toMatch(/schema|migration/)
  })

  test('lacks rights', async () => {
    const finding = await findingAfter('grant select on all tables in schema sessions to app')
    expect(finding).toMatchObject({ code: 'missing-rights', severity: 'error' })
    expect(finding?.what).toContain('DELETE on')
  })

  test.each([
    [
      'policy',
      'row level security',
      'alter table sessions.session enable row level security; create policy own on sessions.session using (user_id is null)',
    ],
    [
      'notify-denied',
      'pg_notify',
      'revoke execute on function pg_catalog.pg_notify(text, text) from public',
    ],
    [
      'missing-rights',
      'row_security is off',
      'alter table sessions.session enable row level security; create policy all_rows on sessions.session using (true); do $$ begin execute format($f$ alter database %I set row_security = off $f$, current_database()); end $$',
    ],
    [
      'missing-rights',
      "for the tables' owner ",
      `do $$ begin create role landlord; exception when duplicate_object then null; end $$; alter table sessions.session owner to landlord; alter table sessions.session_data owner to landlord`,
    ],
  ])('has %s found: %s', async (code, words, sql) => {
    const finding = await findingAfter(`${all} ${sql}`)
    expect(finding).toMatchObject({ code })
    expect(finding?.what.toLowerCase()).toContain(words)
  })

  test('is kept out by row level security', async () => {
    const finding = await findingAfter(
      `${all} alter table sessions.session enable row level security`,
    )
    expect(finding).toMatchObject({ code: 'ERR_SCHEMA_OUTDATED', severity: 'error' })
  })
})

test('finds nothing in a foreign key that is only checked later', async () => {
  const codes = await codesAfter(
    'alter table sessions.session_data alter constraint session_data_session_id_fkey deferrable initially deferred',
  )
  expect(codes).toEqual([])
})

test('names a view in the place of a table, and says nothing of its age', async () => {
  const codes = await codesAfter(
    'alter table sessions.session rename to real; create view sessions.session as select * from sessions.real',
  )
  expect(codes).toContain('not-a-table')
  expect(codes).not.toContain('wraparound-near')
})

test('finds a replication slot that nothing reads', async () => {
  await run(server.url, "select pg_create_physical_replication_slot('forgotten')")
  const codes = await codesAfter('')
  await run(server.url, "select pg_drop_replication_slot('forgotten')")
  expect(codes).toEqual(['idle-replication-slot'])
})

describe('what takes long to plant is judged by its facts', () => {
  const well: ServerFacts = {
    version: 160_004,
    encoding: 'UTF8',
    fsync: true,
    synchronousCommit: 'on',
    connections: 10,
    maxConnections: 100,
    time: 1_800_000_000_000,
    notifyQueue: 0,
    oldestTransaction: null,
    oldestPid: null,
    oldestPrepared: null,
    idleSlots: [],
  }
  const noPurge: PurgeFacts = { overdue: 0 }

  test.for([
    ['old-server', { version: 130_012 }],
    ['encoding', { encoding: 'LATIN1' }],
    ['fsync-off', { fsync: false }],
    ['connections-nearly-used-up', { connections: 95 }],
    ['notify-queue-full', { notifyQueue: 0.7 }],
    ['long-transaction', { oldestTransaction: 3600, oldestPid: 4711 }],
    ['prepared-transaction', { oldestPrepared: 90_000 }],
    ['clocks-differ', { time: well.time + 60_000 }],
  ] as const)('%s', ([code, facts]) => {
    expect(serverFindings({ ...well, ...facts }, noPurge, well.time).map((f) => f.code)).toEqual([
      code,
    ])
    expect(serverFindings(well, noPurge, well.time)).toEqual([])
  })
})
