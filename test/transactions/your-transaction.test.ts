import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { drizzle } from 'drizzle-orm/node-postgres'
import knex from 'knex'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import pgPromise from 'pg-promise'
import { createSessions, MemoryStore, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { startFaultProxy } from 'pg-sessions/testing'
import postgres from 'postgres'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { recordingDriver } from '../postgres/recording-driver.ts'
import { bundledProgram } from '../support/bundled-program.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { openPglite } from '../support/pglite.ts'
import { type Client, clients } from './clients.ts'
import { cookieOf, userOf } from './visitors.ts'

let database: TestDatabase
let pool: pg.Pool
let sessions: Sessions
let sent: string[]

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url, max: 10 })
  const recorded = recordingDriver(fromPg(pool))
  sent = recorded.sent
  sessions = createSessions({ database: recorded.driver, log: false })
  await sessions.ready()
  await pool.query('create table account (id text primary key, password text)')
})
beforeEach(async () => {
  await pool.query('delete from sessions.session')
  await pool.query('delete from account')
  await pool.query(`insert into account values ('ann', 'old')`)
})
afterAll(async () => {
  await sessions.close()
  await pool.end()
  await database.drop()
})

const setPassword = `update account set password = 'new' where id = 'ann'`

async function passwordOfAnn(): Promise<unknown> {
  const { rows } = await pool.query(`select password from account where id = 'ann'`)
  return rows[0]?.password
}

/** A client of the application's own, beside the pool. */
async function connect(url = database.url): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

test('a change of password that ends all sessions costs one statement more, in one commit', async () => {
  const visitor = await cookieOf(sessions, 'ann')
  await using proxy = await startFaultProxy(database.url)
  const handovers: string[] = []
  const client = await connect(proxy.url)
  proxy.onMessage(({ from, type }) => {
    if (from === 'client' && /^[SQ]$/.test(type)) handovers.push(type)
  })
  sent.length = 0
  await client.query('begin')
  await client.query(setPassword)
  expect(await sessions.in(client).destroyByUser('ann')).toBe(1)
  await client.query('commit')
  expect(handovers).toHaveLength(4)
  expect(sent).toEqual([])
  expect(await userOf(sessions, visitor)).toBeNull()
  const { rows } = await client.query('select from pg_prepared_statements')
  expect(rows).toEqual([])
})

test.each([
  ['after the change of password', false],
  ['after the sessions have ended', true],
])('a crash %s, before the commit, leaves neither', async (_, hasEnded) => {
  const visitor = await cookieOf(sessions, 'ann')
  const client = await connect()
  await client.query('begin')
  await client.query(setPassword)
  if (hasEnded) await sessions.in(client).destroyByUser('ann')
  const { rows } = await client.query('select pg_backend_pid() as pid')
  const closed = new Promise<void>((resolve) => client.on('end', () => resolve()))
  await pool.query('select pg_terminate_backend($1)', [rows[0].pid])
  await closed
  expect(await userOf(sessions, visitor)).toBe('ann')
  expect(await passwordOfAnn()).toBe('old')
})

test('a process that is killed before the commit leaves neither the new password nor the ends', async () => {
  const visitor = await cookieOf(sessions, 'ann')
  const program = await bundledProgram('test/transactions/password-process.ts')
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const [said] = await once(child.stdout, 'data')
  expect(String(said)).toBe('1 ended, not committed')
  child.kill('SIGKILL')
  await closed
  // The server rolls back when it notices; until then the row of the account is locked.
  await pool.query(`select from account where id = 'ann' for update`)
  expect(await userOf(sessions, visitor)).toBe('ann')
  expect(await passwordOfAnn()).toBe('old')
})

test('sessions with a tag end with the commit, and each is told of with its user', async () => {
  const told: unknown[] = []
  onTestFinished(sessions.on('destroyed', (event) => told.push(event)))
  const visitors = []
  for (const userId of ['ann', 'bob']) {
    const exchange = sessions.open(null)
    await exchange.session.signIn(userId, { tags: ['tenant:7'] })
    visitors.push({ sessionId: exchange.session.id, userId })
  }
  const client = await connect()
  await client.query('begin')
  const [ann] = visitors
  expect(await sessions.in(client).destroyByTag('tenant:7', { except: ann?.sessionId ?? '' })).toBe(
    1,
  )
  await client.query('rollback')
  await client.query('begin')
  expect(await sessions.in(client).destroyByTag('tenant:7')).toBe(2)
  expect(await sessions.listByTag('tenant:7')).toHaveLength(2)
  await client.query('commit')
  expect(await sessions.listByTag('tenant:7')).toEqual([])
  await expect.poll(() => told).toHaveLength(2)
  expect(told).toEqual(expect.arrayContaining(visitors))
})

test('nothing is told of a transaction that is rolled back, as a whole or to a savepoint', async () => {
  const told: string[] = []
  onTestFinished(sessions.on('destroyed', ({ sessionId }) => told.push(sessionId)))
  const [undone, saved, ended] = [
    await cookieOf(sessions, 'ann'),
    await cookieOf(sessions, 'bob'),
    await cookieOf(sessions, 'cid'),
  ]
  const seen: string[] = []
  for (const { id } of [undone, saved]) sessions.watch(id, () => seen.push(id))
  const last = new Promise((resolve) => sessions.watch(ended.id, resolve))

  const client = await connect()
  await client.query('begin')
  await sessions.in(client).destroyByUser('ann')
  await client.query('rollback')
  await client.query('begin')
  await client.query('savepoint before')
  await sessions.in(client).destroyById(saved.id)
  await client.query('rollback to savepoint before')
  await sessions.in(client).destroyById(ended.id)
  await client.query('commit')

  expect(await last).toBe('gone')
  await expect.poll(() => told).toEqual([ended.id])
  // Waits until the database has been asked about all three transactions.
  await expect
    .poll(() => sent.filter((name) => name === 'transaction_status').length)
    .toBeGreaterThanOrEqual(3)
  expect(seen).toEqual([])
  expect(await userOf(sessions, undone)).toBe('ann')
  expect(await userOf(sessions, saved)).toBe('bob')
})

test('before the commit the session works, and a save that waits for it writes nothing after it', async () => {
  const visitor = await cookieOf(sessions, 'ann')
  const client = await connect()
  await client.query('begin')
  await sessions.in(client).destroyByUser('ann')
  expect(await userOf(sessions, visitor)).toBe('ann')
  const late = sessions.open(visitor.cookie)
  late.session.set('basket', ['apple'])
  const refused = expect(late.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
  await expect
    .poll(async () => {
      const { rows } = await pool.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      return rows.length
    })
    .toBe(1)
  await client.query('commit')
  await refused
  const { rows } = await pool.query('select from sessions.session_data')
  expect(rows).toEqual([])
})

test('asks nothing about the transaction if no listener waits for it', async () => {
  await cookieOf(sessions, 'ann')
  sent.length = 0
  const client = await connect()
  await client.query('begin')
  await sessions.in(client).destroyByUser('ann')
  await client.query('commit')
  await sessions.listByUser('ann')
  expect(sent).toEqual(['list_by_user'])
})

test('an event comes also when the sessions are closed right after the commit', async () => {
  const own = createSessions({ database: fromPg(pool), log: false })
  const told: unknown[] = []
  own.on('destroyed', (event) => told.push(event))
  const { id } = await cookieOf(own, 'ann')
  const client = await connect()
  await client.query('begin')
  await own.in(client).destroyByUser('ann')
  await client.query('commit')
  await own.close()
  expect(told).toEqual([{ sessionId: id, userId: 'ann' }])
  expect(() => own.in(client)).toThrow('have been closed')
})

test('locks sessions in the order of their ids, as every statement does, so that none waits in a circle', async () => {
  const ids = await Promise.all([1, 2, 3].map(async () => (await cookieOf(sessions, 'ann')).id))
  const [first, middle, last] = ids.toSorted()
  const holder = await connect()
  await holder.query('begin')
  await holder.query('select from sessions.session where id = $1 for update', [middle])
  const client = await connect()
  await client.query('begin')
  const ending = sessions.in(client).destroyByUser('ann')
  const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  await expect.poll(async () => (await pool.query(waits)).rowCount).toBe(1)
  const free = await pool.query('select id from sessions.session for update skip locked')
  expect(free.rows, `${first} is locked already`).toEqual([{ id: last }])
  await holder.query('rollback')
  expect(await ending).toBe(3)
  await client.query('rollback')
})

test("an error is the client's own, and nothing is sent again", async () => {
  const client = await connect()
  await client.query('begin')
  await expect(client.query('nonsense')).rejects.toThrow()
  await expect(sessions.in(client).destroyByUser('ann')).rejects.toMatchObject({
    code: '25P02',
    name: 'error',
  })
})

test('a role from which row level security hides sessions cannot end them in silence', async () => {
  const visitor = await cookieOf(sessions, 'ann')
  await pool.query(`
    do $$ begin create role watched; exception when duplicate_object then null; end $$;
    grant usage on schema sessions to watched;
    grant all on all tables in schema sessions to watched;
    alter table sessions.session enable row level security`)
  onTestFinished(async () => {
    await pool.query('alter table sessions.session disable row level security')
  })
  const client = await connect()
  await client.query('begin; set local role watched')
  const by = sessions.in(client)
  await expect(by.destroyByUser('ann')).rejects.toThrow('Row level security hides a live session')
  await expect(by.destroyById(visitor.id)).rejects.toThrow('Row level security hides')
  await client.query('rollback')
  expect(await userOf(sessions, visitor)).toBe('ann')
})

test.each(['a client of pg', 'PGlite'])(
  'a transaction of another database is refused, and its rollback undoes all: %s',
  async (name) => {
    const elsewhere = await createTestDatabase()
    onTestFinished(() => elsewhere.drop())
    const other = await (clients[name] as (url: string) => Promise<Client>)(elsewhere.url)
    onTestFinished(async () => void (await other.close()))
    const theirs = createSessions({ database: other.driver, log: false })
    await theirs.ready()
    const visitor = await cookieOf(theirs, 'dan')
    const here = await cookieOf(sessions, 'dan')
    const ends = other.transaction(async (tx) => {
      const by = sessions.in(tx)
      await expect(by.destroyById(visitor.id)).rejects.toThrow('of another database')
      await by.destroyByUser('dan')
    })
    await expect(ends).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' })
    expect(await userOf(theirs, visitor)).toBe('dan')
    expect(await userOf(sessions, here)).toBe('dan')
  },
)

test("another statement's answer is refused", async () => {
  const { rows } = await pool.query(`select null as proof, '[]' as answer`)
  const mixedUp = async (): Promise<object[]> => rows
  await expect(sessions.in(mixedUp).destroyByUser('ann')).rejects.toThrow(
    'belongs to another statement',
  )
})

test('a client that is not in a transaction is refused before anything is sent', async () => {
  const visitor = await cookieOf(sessions, 'ann')
  const client = await connect()
  await client.query('select 1')
  const by = sessions.in(client)
  await expect(by.destroyByUser('ann')).rejects.toThrow("Run client.query('begin') first")
  await expect(by.destroyById(visitor.id)).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' })
  expect(await userOf(sessions, visitor)).toBe('ann')
})

const url = 'postgres://ann:secret@localhost/shop'
test.each<[name: string, make: () => unknown, line: string]>([
  ['a pool', () => pool, 'const client = await pool.connect()'],
  ['a database of Drizzle', () => drizzle(pool), 'within db.transaction(async (tx)'],
  [
    'Kysely',
    () => new Kysely({ dialect: new PostgresDialect({ pool }) }),
    'db.transaction().execute',
  ],
  ['Knex', () => knex({ client: 'pg', connection: url }), 'knex.transaction(async (trx)'],
  ['pg-promise', () => pgPromise({ noWarnings: true })({ database: 'none' }), 'db.tx(async (t)'],
  ['a DataSource', () => new DataSource({ type: 'postgres', url }), 'dataSource.transaction'],
  [
    'an EntityManager',
    () => new DataSource({ type: 'postgres', url }).manager,
    'within dataSource.transaction(async (manager)',
  ],
  ['postgres.js', () => postgres(url), 'sql.begin(async (sql)'],
  ['PGlite', () => openPglite(), 'within db.transaction(async (tx)'],
  ['nothing', () => undefined, 'was given no client'],
  ['anything else', () => ({ url }), 'was given something else'],
])('%s in the place of a transaction is refused, with the line to write', async (_, make, line) => {
  const client = (await make()) as object
  const use = async (): Promise<unknown> => sessions.in(client).destroyByUser('ann')
  await expect(use()).rejects.toThrow(line)
  await expect(use()).rejects.not.toThrow('secret')
})

test('a store outside the database says that it takes no part', () => {
  const inMemory = createSessions({ store: new MemoryStore(), log: false })
  expect(() => inMemory.in(pool)).toThrow("The store 'memory' takes no part in a transaction")
})

test('a client that is not connected, and a function that gives no rows, are refused by name', async () => {
  const client = new pg.Client({ connectionString: database.url })
  await expect(sessions.in(client).destroyByUser('ann')).rejects.toThrow('is not connected')
  for (const answer of [undefined, {}, 1]) {
    const query = (async () => answer) as never
    await expect(sessions.in(query).destroyByUser('ann')).rejects.toMatchObject({
      code: 'ERR_CONFIGURATION',
      message: expect.stringContaining('and not with rows'),
    })
  }
})
