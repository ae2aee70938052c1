import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Pool } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { schemaFile } from '../../scripts/schema.ts'
import { fromPg } from '../../src/drivers/pg.ts'
import { PostgresStore } from '../../src/postgres/postgres-store.ts'
import { schemaSql } from '../../src/postgres/schema-sql.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { runCli } from './run-cli.ts'
import { startTransactionPooler } from '../support/transaction-pooler.ts'

let database: TestDatabase
let pool: Pool
let store: PostgresStore

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new Pool({ connectionString: database.url })
  store = new PostgresStore({ driver: fromPg(pool) })
  await store.ready()
})

beforeEach(async () => {
  await database.query('truncate sessions.session cascade')
})

afterAll(async () => {
  await store.close()
  await pool.end()
  await database.drop()
})

const secret = 'a secret that only a cookie holds'
const secretHash = createHash('sha256').update(secret).digest()

/** Makes a session and returns its id. Ids count up. */
async function addSession(number: number, userId: string | null): Promise<string> {
  const id = `0198b0f3-0000-7000-8000-${String(number).padStart(12, '0')}`
  await store.create({
    id,
    secretHash,
    userId,
    lifetime: { idle: 3_600_000, purge: 7_200_000 },
    ownIdleTimeout: null,
    absolute: Number.POSITIVE_INFINITY,
    entries: [{ key: Buffer.from('basket'), value: Buffer.from('["private"]') }],
  })
  return id
}

async function expire(id: string): Promise<void> {
  await database.query(`update sessions.session
    set expires_at = now() - interval '1 h', purge_at = now() - interval '1 min' where id = '${id}'`)
}

const onDatabase = (): { databaseUrl: string } => ({ databaseUrl: database.url })

async function runJson(...args: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runCli([...args, '--json'], onDatabase())
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

test('migrate creates the tables once, under the names it is given', async () => {
  const args = ['migrate', '--schema', 'we"ird', '--session-table', 'shop']
  const first = await runCli(args, onDatabase())
  expect(first).toEqual({
    status: 0,
    stdout: 'Migrated the tables from version 0 to 2.\n',
    stderr: '',
  })
  const again = await runCli(args, onDatabase())
  expect(again.stdout).toMatch(/^Nothing to do: the tables have version 2/)
  expect(await runJson(...args)).toEqual({ from: 2, to: 2 })
  expect(await database.query('select count(*)::int as n from "we""ird".shop_data')).toEqual([
    { n: 0 },
  ])
})

test('sql prints the schema without a database, in one piece or as JSON', async () => {
  const plain = await runCli(['sql'])
  expect(plain).toEqual({ status: 0, stdout: readFileSync(schemaFile, 'utf8'), stderr: '' })
  const json = await runCli(['sql', '--from', '0', '--schema', 'other', '--json'])
  expect(JSON.parse(json.stdout)).toEqual({
    from: 0,
    to: 2,
    sql: schemaSql(resolveTableNames({ schema: 'other' })),
  })
  expect((await runCli(['sql', '--from', '2'])).stdout).toMatch(/^-- Version 2 .*nothing to do/)
})

test('status counts sessions and users and tells what waits for purge', async () => {
  await addSession(1, 'ann')
  await addSession(2, 'ann')
  await addSession(3, null)
  await expire(await addSession(4, 'bob'))
  const { status, stdout } = await runCli(['status'], onDatabase())
  expect(status).toBe(0)
  expect(stdout).toMatch(
    /^schema version {2}2 \(up to date\)\nlive {12}3 sessions of 1 user\nexpired {9}1 session, not yet purged\noldest {10}\d.*Z\nnewest {10}\d.*Z\nsize {12}\d+ kB tables, \d+ kB indexes\npurge {11}1 session due now\n$/,
  )
  expect(await runJson('status')).toEqual({
    schemaVersion: 2,
    live: 3,
    users: 1,
    expired: 1,
    oldestCreatedAt: time,
    newestCreatedAt: time,
    tableBytes: expect.any(Number),
    indexBytes: expect.any(Number),
    purgeBacklog: 1,
    nextPurgeAt: time,
    connectPgSimple: [],
  })
})

test('doctor says what is wrong, what follows and what mends it, and exits with 1', async () => {
  await database.query('create index planted on sessions.session (expires_at)')
  const { status, stdout } = await runCli(['doctor'], onDatabase())
  const json = await runCli(['doctor', '--json'], onDatabase())
  await database.query('drop index sessions.planted')
  expect(status).toBe(1)
  expect(stdout).toContain('→ drop index concurrently planted;')
  const { findings } = JSON.parse(json.stdout)
  expect(findings.map(({ code }: { code: string }) => code)).toContain('index-on-touched-column')
})

test('doctor recognizes a pooler in transaction mode that tracks no statements', async () => {
  await using pooler = await startTransactionPooler(database.url, 1)
  const codes = async (url: string): Promise<string[]> => {
    const { stdout } = await runCli(['doctor', '--json'], { databaseUrl: url })
    return JSON.parse(stdout).findings.map(({ code }: { code: string }) => code)
  }
  expect(await codes(pooler.url)).toContain('pooler-without-statements')
  expect((await codes(database.url)).filter((code) => code.startsWith('pooler'))).toEqual([])
})

test('list shows the newest sessions in a table, and nothing secret', async () => {
  await addSession(1, 'ann')
  const anonymous = await addSession(2, null)
  await expire(await addSession(3, 'ann'))
  const { stdout } = await runCli(['list'], onDatabase())
  const [header, first, second, ...rest] = stdout.split('\n')
  expect(header).toMatch(/^ID {36}USER {2}CREATED {15}LAST ACCESS {11}EXPIRES {15}DEVICE {2}TAGS$/)
  expect(first).toMatch(new RegExp(`^${anonymous}  -     \\d.*Z  \\d.*Z  \\d.*Z  -       -$`))
  expect(second).toContain('  ann   ')
  expect(rest).toEqual([''])
  expect(await runJson('list', '--limit', '1')).toEqual({
    sessions: [
      {
        id: anonymous,
        userId: null,
        actor: null,
        createdAt: time,
        lastAccessAt: time,
        expiresAt: time,
        device: null,
        tags: [],
      },
    ],
  })
  const everything = stdout + JSON.stringify(await runJson('list', '--user', 'ann'))
  for (const hidden of [secret, secretHash.toString('hex'), 'hash', 'private']) {
    expect(everything).not.toContain(hidden)
  }
})

test('list takes one user, and says when there may be more', async () => {
  const ids = [await addSession(1, 'ann'), await addSession(2, 'ann')]
  await addSession(3, 'bob')
  const found = await runJson('list', '--user', 'ann')
  expect((found.sessions as { id: string }[]).map(({ id }) => id).sort()).toEqual(ids)
  const first = await runCli(['list', '--user=ann', '--limit=1'], onDatabase())
  expect(first.stdout).toMatch(/\nThe first 1; there may be more \(--limit\)\.\n$/)
  const none = await runCli(['list', '--user', 'nobody'], onDatabase())
  expect(none).toEqual({ status: 0, stdout: 'No live sessions.\n', stderr: '' })
})

test('list and destroy find sessions by a tag', async () => {
  const ids = [await addSession(1, 'ann'), await addSession(2, 'bob'), await addSession(3, 'ann')]
  for (const [n, userId] of ['ann', 'bob'].entries()) {
    await store.tag({ id: ids[n] ?? '', userId, added: ['tenant:7', 'b'], removed: [] })
  }
  const { sessions } = await runJson('list', '--tag', 'tenant:7')
  const found = sessions as { id: string; tags: string[] }[]
  expect(found.map(({ id }) => id).sort()).toEqual(ids.slice(0, 2))
  expect(found[0]?.tags).toEqual(['tenant:7', 'b'])
  const both = await runJson('list', '--tag', 'tenant:7', '--user', 'ann')
  expect(both.sessions).toMatchObject([{ id: ids[0] }])
  const newest = await runCli(['list'], onDatabase())
  expect(newest.stdout).toContain('  tenant:7, b\n')
  const { stdout } = await runCli(
    ['destroy', '--tag', 'tenant:7', '--except', ids[1] ?? ''],
    onDatabase(),
  )
  expect(stdout).toBe(`Ended 1 session with tag tenant:7:\n${ids[0]}\n`)
  expect(await runJson('destroy', '--tag', 'tenant:7')).toEqual({ destroyed: [ids[1]] })
  expect(await store.count()).toMatchObject({ live: 1 })
})

test('a user’s name cannot steer the terminal', async () => {
  await addSession(1, 'ann\u001b[2J\nbob\u202e')
  const { stdout } = await runCli(['list'], onDatabase())
  expect(stdout).toContain('ann\\u{1b}[2J\\u{a}bob\\u{202e}')
  expect(stdout.split('\n')).toHaveLength(3)
})

test('destroy ends one session, says so, and may be repeated', async () => {
  const id = await addSession(1, 'ann')
  const first = await runCli(['destroy', id.toUpperCase()], onDatabase())
  expect(first).toEqual({ status: 0, stdout: `Ended session ${id}.\n`, stderr: '' })
  const again = await runCli(['destroy', id], onDatabase())
  expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining('is not live') })
  expect(await store.count()).toMatchObject({ live: 0 })
})

test('destroy ends all sessions of a user but those named', async () => {
  const ids = [await addSession(1, 'ann'), await addSession(2, 'ann'), await addSession(3, 'ann')]
  await addSession(4, 'bob')
  const { stdout } = await runCli(
    ['destroy', '--user', 'ann', '--except', `${ids[0]}, ${ids[1]}`],
    onDatabase(),
  )
  expect(stdout).toBe(`Ended 1 session of user ann:\n${ids[2]}\n`)
  const { destroyed } = await runJson('destroy', '--user', 'ann')
  expect([...(destroyed as string[])].sort()).toEqual(ids.slice(0, 2))
  expect(await store.count()).toMatchObject({ live: 1 })
})

test('purge deletes what is dead in batches, and says how many went', async () => {
  for (const number of [1, 2, 3, 4, 5]) await expire(await addSession(number, null))
  await addSession(6, null)
  const { status, stdout } = await runCli(['purge', '--batch-size', '2'], onDatabase())
  expect(status).toBe(0)
  expect(stdout).toMatch(/^Removed 5 expired sessions in [\d.]+ s\.\n$/)
  expect(await store.count()).toEqual({ live: 1, expired: 0 })
  expect(await runJson('purge')).toEqual({
    removed: 0,
    complete: true,
    seconds: expect.any(Number),
  })
})

test('a long purge tells once a second how much is left and how long that takes', async () => {
  await expire(await addSession(0, null))
  await database.query(`insert into sessions.session
    select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).*
    from sessions.session s, generate_series(2, 1500)`)
  const { stdout, stderr } = await runCli(['purge', '--batch-size', '1'], onDatabase())
  const [, seconds] = /^Removed 1500 expired sessions in ([\d.]+) s\.\n$/.exec(stdout) ?? []
  const lines = stderr.split('\n').slice(0, -1)
  expect(lines.length).toBeLessThanOrEqual(Number(seconds))
  for (const line of lines) {
    const numbers =
      /^removed (\d+) sessions?, (\d+) left, \d+ a second, (about .* to go|almost done)$/
    const [, removed, left] = numbers.exec(line) ?? []
    expect(Number(removed) + Number(left), line).toBe(1500)
  }
})

test('destroy --all asks first, and ends every session in batches once it may', async () => {
  for (const number of [1, 2, 3]) await addSession(number, number === 3 ? null : 'ann')
  const asked = await runCli(['destroy', '--all'], onDatabase())
  expect(asked).toMatchObject({ status: 2, stdout: '' })
  expect(asked.stderr).toContain('Add --yes to do it')
  expect(await store.count()).toEqual({ live: 3, expired: 0 })
  const document = await runJson('destroy', '--all', '--yes', '--batch-size', '2')
  expect(document).toMatchObject({ ended: 3, complete: true })
  expect(await store.count()).toEqual({ live: 0, expired: 0 })
})

test.each([
  [['--all', '--user', 'ann'], 'Name what to end'],
  [['--all', '--except', '01a20990-9028-74f6-86b2-631b435b7b79'], '--all spares no session'],
  [['--user', 'ann', '--yes'], '--yes and --batch-size go with --all'],
])('destroy refuses %j', async (args, message) => {
  const { status, stderr } = await runCli(['destroy', ...args], onDatabase())
  expect(status).toBe(2)
  expect(stderr).toContain(message)
})
