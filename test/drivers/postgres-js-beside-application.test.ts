import { fromPostgresJs } from 'pg-sessions/postgres-js'
import { startFaultProxy } from 'pg-sessions/testing'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** The application and the driver share one client, which has one connection. */
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query(
    `create table own (n int, name text); insert into own values (1, 'the application')`,
  )
})
afterAll(() => database.drop())

const patient = { timeout: 20_000 }
const ROUNDS = 16
const NAMES = ['ann', 'bob', 'cy', 'di', 'ed', 'flo', 'guy', 'hal']

const echo = (name: string) => ({
  name: 'echo',
  text: 'select $1::text as name, pg_sleep($2::float8)::text as slept',
  values: [name, '0'],
})

type Sql = ReturnType<typeof postgres>

/** What the application does with its client while visitors ask for their values. */
const habits: Record<string, (sql: Sql, round: number) => unknown> = {
  'has its cached plan changed': async (sql, round) => {
    await sql`select * from own`
    await database.query(`alter table own add column c${round}_${Date.now()} int`)
    return sql`select * from own`
  },
  'has a cached plan with a parameter changed': async (sql, round) => {
    await sql`select * from own where n = ${1}`
    await database.query(`alter table own add column p${round}_${Date.now()} int`)
    return sql`select * from own where n = ${1}`
  },
  'discards everything': async (sql) => {
    await sql`select * from own where n = ${1}`
    return [sql.unsafe('discard all'), sql`select * from own where n = ${1}`]
  },
  'deallocates everything': async (sql) => {
    await sql`select * from own where n = ${1}`
    return [sql.unsafe('deallocate all'), sql`select * from own where n = ${1}`]
  },
  'fails after some rows': async (sql) => sql`select 1 / (4 - n) from generate_series(1, 9) as n`,
  'cancels a statement behind another': async (sql) => {
    const busy = sql`select pg_sleep(0.01)`.execute()
    const cancelled = sql`select ${'own'}::text as x`.execute()
    await Promise.resolve()
    cancelled.cancel()
    return [busy, cancelled]
  },
  'leaves a failed transaction open': async (sql) => {
    await sql.unsafe('begin')
    return [sql`select 1 / 0`, sql.unsafe('rollback')]
  },
}

describe.each(Object.keys(habits))('while the application %s', (name) => {
  test('each visitor is given its own value', async () => {
    const sql = postgres(database.url, { max: 1, onnotice: () => {} })
    const driver = fromPostgresJs(sql)
    const wrong: unknown[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const own = Promise.resolve(habits[name]?.(sql, round)).then((asked) =>
        Promise.allSettled([asked].flat()),
      )
      const visits = NAMES.map(async (visitor) => {
        const rows = await driver.query(echo(visitor), patient)
        if (rows.length !== 1 || rows[0]?.['name'] !== visitor) wrong.push([visitor, rows])
      })
      await Promise.allSettled([own, ...visits])
      await Promise.all(visits)
    }
    expect(wrong).toEqual([])
    await sql.end({ timeout: 1 })
  })
})

test('a session whose row is locked costs no other visitor its own value', async () => {
  const sql = postgres(database.url, { max: 1, onnotice: () => {} })
  const driver = fromPostgresJs(sql)
  const locker = postgres(database.url, { max: 1, onnotice: () => {} })
  await driver.query(echo('warm'), patient)
  await locker.begin(async (transaction) => {
    await transaction`select * from own for update`
    for (let round = 0; round < 5; round += 1) {
      const blocked = { name: 'blocked', text: `update own set name = 'ann'`, values: [] }
      const late = driver.query(blocked, { timeout: 150 })
      const visits = NAMES.map((visitor) => driver.query(echo(visitor), patient))
      await expect(late).rejects.toMatchObject({ code: 'ETIMEDOUT' })
      const rows = await Promise.all(visits)
      expect(rows.map(([row]) => row?.['name'])).toEqual(NAMES)
      await driver.query(echo('warm'), patient)
    }
  })
  expect(await database.query('select name from own')).toEqual([{ name: 'the application' }])
  await Promise.all([sql.end(), locker.end()])
})

test('statements work on a client that fetches no types, also on its first connection', async () => {
  const sql = postgres(database.url, { max: 1, fetch_types: false })
  const driver = fromPostgresJs(sql)
  const lent = await driver.withConnection((connection) => connection.query(echo('ann'), patient))
  expect(lent).toEqual([{ name: 'ann', slept: '' }])
  expect(await driver.query(echo('bob'), patient)).toEqual([{ name: 'bob', slept: '' }])
  await sql.end()
})

test('a connection that is cut between a row and the end of its answer spoils no later answer', async () => {
  await using proxy = await startFaultProxy(database.url)
  const sql = postgres(proxy.url, { max: 1, fetch_types: false })
  const driver = fromPostgresJs(sql)
  for (let round = 0; round < 5; round += 1) {
    await driver.query(echo('warm'), patient)
    const cut = proxy.cutBefore(({ from, type }) => from === 'server' && type === 'C')
    await expect(driver.query(echo('ann'), patient)).rejects.toThrow()
    await cut
    const visits = await Promise.all(NAMES.map((name) => driver.query(echo(name), patient)))
    expect(visits.map((rows) => rows.map((row) => row['name']))).toEqual(
      NAMES.map((name) => [name]),
    )
  }
  await sql.end()
})

test('the connections of the driver end with the client, and it sends nothing more', async () => {
  const sql = postgres(database.url, { max: 3, onnotice: () => {} })
  const driver = fromPostgresJs(sql)
  const visits = NAMES.map((visitor) => driver.query(echo(visitor), patient))
  await Promise.all(visits)
  const inFlight = driver.query(
    { name: 'slow', text: `select 'done' as x from pg_sleep(0.1)`, values: [] },
    patient,
  )
  await Promise.resolve()
  await sql.end()
  expect(await inFlight).toEqual([{ x: 'done' }])
  await expect(driver.query(echo('ann'), patient)).rejects.toMatchObject({
    code: 'CONNECTION_ENDED',
  })
  const others = `select pid from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  await expect.poll(() => database.query(others)).toEqual([])
})
