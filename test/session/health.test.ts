import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Pool } from 'pg'
import { createSessions, MemoryStore, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(() => database.drop())

function sessionsOn(url: string): Sessions {
  const pool = new Pool({ connectionString: url })
  pool.on('error', () => {})
  const sessions = createSessions({ database: fromPg(pool), cookie: { development: true } })
  onTestFinished(async () => {
    await sessions.close()
    await pool.end()
  })
  return sessions
}

test('sessions that work are well, and the difference of the clocks is told', async () => {
  const health = await sessionsOn(database.url).check()
  expect(health).toMatchObject({ ok: true, problems: [] })
  expect(Math.abs(health.clockDifference ?? Number.NaN)).toBeLessThan(60_000)
})

test('a store without a database is well', async () => {
  const sessions = createSessions({ store: new MemoryStore(), cookie: { development: true } })
  expect(await sessions.check()).toMatchObject({ ok: true, clockDifference: null })
})

test('a server that takes no writes is named, and nothing is written', async () => {
  await sessionsOn(database.url).ready()
  const url = new URL(database.url)
  url.searchParams.set('options', '-c default_transaction_read_only=on')
  const { ok, problems } = await sessionsOn(url.href).check()
  expect({ ok, codes: problems.map(({ code }) => code) }).toEqual({
    ok: false,
    codes: ['READ_ONLY'],
  })
})

test('rights that the role lacks are named', async () => {
  await sessionsOn(database.url).ready()
  const url = new URL(database.url)
  const role = `reader_${url.pathname.slice(-8)}`
  await database.query(`
    create role ${role} login password 'secret';
    grant usage on schema sessions to ${role};
    grant select on all tables in schema sessions to ${role};
    grant insert, update on sessions.session to ${role}`)
  url.username = role
  url.password = 'secret'
  const { ok, problems } = await sessionsOn(url.href).check()
  await database.query(`drop owned by ${role}; drop role ${role}`)
  expect(ok).toBe(false)
  expect(problems).toEqual([
    {
      code: 'MISSING_RIGHTS',
      message: expect.stringMatching(
        /lacks DELETE on \S+session\S*, DELETE on \S+session_data\S*, INSERT on \S+session_data\S*, UPDATE on/,
      ),
    },
  ])
})

test('a role that may not enter the schema is told so', async () => {
  await sessionsOn(database.url).ready()
  const url = new URL(database.url)
  const role = `stranger_${url.pathname.slice(-8)}`
  await database.query(`create role ${role} login password 'secret'`)
  url.username = role
  url.password = 'secret'
  const pool = new Pool({ connectionString: url.href })
  const sessions = createSessions({
    database: fromPg(pool),
    migrate: 'off',
    cookie: { development: true },
  })
  const { problems } = await sessions.check()
  await sessions.close()
  await pool.end()
  await database.query(`drop role ${role}`)
  expect(problems).toEqual([
    { code: 'MISSING_RIGHTS', message: expect.stringContaining('USAGE on schema sessions') },
  ])
})

test('tables that were dropped are made again', async () => {
  const sessions = sessionsOn(database.url)
  await sessions.ready()
  await database.query('drop schema sessions cascade')
  expect(await sessions.check()).toMatchObject({ ok: true })
})

test('a store that is never ready is a problem within the deadline of the check', async () => {
  const store = Object.assign(new MemoryStore(), { ready: () => new Promise<void>(() => {}) })
  const sessions = createSessions({ store, cookie: { development: true } })
  expect(await sessions.check({ deadline: '20ms' })).toMatchObject({
    ok: false,
    problems: [{ code: 'ERR_STORE_UNAVAILABLE' }],
  })
})

test('tables that are missing, and are not to be made, are a problem by its code', async () => {
  const pool = new Pool({ connectionString: database.url })
  const sessions = createSessions({
    database: fromPg(pool),
    migrate: 'check',
    cookie: { development: true },
  })
  onTestFinished(async () => {
    await sessions.close()
    await pool.end()
  })
  expect(await sessions.check()).toMatchObject({
    ok: false,
    problems: [{ code: 'ERR_SCHEMA_MISSING' }],
  })
})

test('a server that does not answer is a problem within the deadline of the check', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  const { port } = silent.address() as AddressInfo
  const pool = new Pool({ host: '127.0.0.1', port, user: 'ann' })
  const sessions = createSessions({
    database: fromPg(pool),
    deadline: '1h',
    cookie: { development: true },
  })
  expect(await sessions.check({ deadline: '50ms' })).toMatchObject({
    ok: false,
    problems: [{ code: 'ERR_STORE_UNAVAILABLE' }],
  })
  silent.on('connection', (socket) => socket.destroy())
})

test('an unknown option is refused', async () => {
  await expect(sessionsOn(database.url).check({ timeout: '1s' } as never)).rejects.toThrow(
    /deadline/,
  )
})
