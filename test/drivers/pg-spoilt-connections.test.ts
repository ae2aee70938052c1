import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import { startFaultProxy } from 'pg-sessions/testing'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTransactionPooler } from '../support/transaction-pooler.ts'

let database: TestDatabase
const open: (() => unknown)[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  await database.query('create table kept (name text)')
})
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})
afterAll(() => database.drop())

const patient = { timeout: 20_000 }
const one = { name: 'one', text: 'select 1::text as one', values: [] }
const insert = {
  name: 'insert',
  text: `insert into kept values ($1::text) returning name`,
  values: ['ann'],
}

function openPool(config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: database.url, ...config })
  open.push(() => pool.end())
  return pool
}

describe('a client that an application has released inside a transaction', () => {
  test.each([
    ['open', 'begin', 'select 1'],
    ['failed', 'begin', 'select 1 / 0'],
  ])('that is %s serves no statement and no loan', async (_, ...statements) => {
    const pool = openPool({ max: 1 })
    const driver = fromPg(pool)
    for (const run of [
      () => driver.query(insert, patient),
      () => driver.withConnection((connection) => connection.query(insert, patient)),
    ]) {
      const client = await pool.connect()
      for (const sql of statements) await client.query(sql).catch(() => {})
      client.release()
      expect(await run()).toEqual([{ name: 'ann' }])
      expect(await database.query('delete from kept returning name')).toEqual([{ name: 'ann' }])
    }
  })

  test('is noticed on a version of pg that does not tell the transaction status', async () => {
    class OlderClient extends pg.Client {
      override getTransactionStatus = undefined as never
    }
    const pool = openPool({ max: 1, Client: OlderClient } as pg.PoolConfig)
    const driver = fromPg(pool)
    await driver.query(one, patient)
    const client = await pool.connect()
    await client.query('begin')
    client.release()
    await driver.query(insert, patient)
    expect(await database.query('delete from kept returning name')).toEqual([{ name: 'ann' }])
  })
})

describe('settings that an application has left on a connection', () => {
  test.each([
    ['another encoding', "set client_encoding = 'LATIN1'"],
    ['another role', 'set role stranger'],
    ['another user', 'set session authorization stranger'],
    ['a time limit', 'set statement_timeout = 1'],
    ['a read-only session', 'set default_transaction_read_only = on'],
  ])('cost no call of a pool: %s', async (_, setting) => {
    await database.query(
      'do $$ begin create role stranger; exception when duplicate_object then null; end $$',
    )
    const pool = openPool({ max: 1 })
    const store = new PostgresStore({ driver: fromPg(pool), schema: 'left' })
    await store.ready()
    const client = await pool.connect()
    await client.query(setting)
    client.release()
    const userId = `jörg ${randomUUID()}`
    const [id, secretHash] = [randomUUID(), Buffer.alloc(32, 7)]
    const lifetime = { idle: 60_000, purge: 60_000 }
    await store.create({
      ...{ id, secretHash, userId, lifetime, entries: [] },
      ...{ absolute: 60_000, ownIdleTimeout: null },
    })
    const [{ user_id: stored } = {}] = await database.query(
      `select user_id from "left".session where id = '${id}'`,
    )
    expect(stored).toBe(userId)
  })

  test('are named on the only connection there is, and nothing is sent', async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    open.push(() => client.end())
    const driver = fromPgClient(client)
    for (const [setting, reset, reason] of [
      ["set client_encoding = 'LATIN1'", 'reset client_encoding', 'client_encoding'],
      ['begin', 'rollback', 'a transaction open'],
    ] as const) {
      await client.query(setting)
      await expect(driver.query(insert, patient)).rejects.toThrow(reason)
      await expect(driver.withConnection(async () => 'lent')).rejects.toThrow(reason)
      await client.query(reset)
      expect(await database.query('select * from kept')).toEqual([])
    }
    const unawaited = client.query('begin')
    await expect(driver.query(insert, patient)).rejects.toMatchObject({ code: 'ECONNABORTED' })
    await unawaited
    await client.query('rollback')
    expect(await driver.query(one, patient)).toEqual([{ one: '1' }])
  })
})

describe('prepared statements that the server has lost', () => {
  async function openClient(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    open.push(() => client.end())
    return client
  }

  test.each(['discard all', 'deallocate all'])('are prepared again after %s', async (sql) => {
    const pool = openPool({ max: 1 })
    const client = await openClient()
    const owners: [Driver, (sql: string) => Promise<unknown>][] = [
      [fromPg(pool), (text) => pool.query(text)],
      [fromPgClient(client), (text) => client.query(text)],
    ]
    for (const [driver, run] of owners) {
      for (let round = 0; round < 3; round += 1) {
        expect(await driver.query(one, patient)).toEqual([{ one: '1' }])
        await run(sql)
        expect(await driver.query(one, patient)).toEqual([{ one: '1' }])
        expect(await driver.query(one, patient)).toEqual([{ one: '1' }])
      }
    }
  })

  test('are prepared again once their plans no longer fit the tables', async () => {
    await database.query('create table changing (a text)')
    const pool = openPool({ max: 4 })
    const sql = postgres(database.url, { max: 4, onnotice: () => {} })
    open.push(() => sql.end())
    const drivers = [fromPg(pool), fromPgClient(await openClient()), fromPostgresJs(sql)]
    const statement = { name: 'changing', text: 'select * from changing', values: [] }
    const askAll = () =>
      Promise.all(
        drivers.flatMap((driver) =>
          Array.from({ length: 8 }, () => driver.query(statement, patient)),
        ),
      )
    await askAll()
    await database.query('alter table changing add column b text')
    await askAll()
    await database.query('alter table changing alter column a type int using 1')
    await askAll()
  })
})

describe('behind a pooler that lends a connection for each transaction', () => {
  test.each(['pg', 'postgres.js'])('%s works or says what to set', async (name) => {
    const tables = openPool({ max: 1 })
    await new PostgresStore({ driver: fromPg(tables) }).ready()
    await using pooler = await startTransactionPooler(database.url, 2)
    const pool = new pg.Pool({ connectionString: pooler.url, max: 4 })
    const sql = postgres(pooler.url, { max: 4, onnotice: () => {} })
    const driver = name === 'pg' ? fromPg(pool) : fromPostgresJs(sql)
    const store = new PostgresStore({ driver, migrate: 'off', deadline: '3s', groupCommit: false })
    const failures: Error[] = []
    for (let round = 0; round < 5; round += 1) {
      const calls = Array.from({ length: 8 }, () =>
        store.destroy({ id: randomUUID() }).catch((error: Error) => failures.push(error)),
      )
      await Promise.all(calls)
    }
    for (const { message } of failures) expect(message).toContain('prepare: false')
    await store.close()
    await Promise.all([pool.end(), sql.end({ timeout: 1 })])
  })
})

test('a silent database leaves no crowd of calls in the pool', async () => {
  const proxy = await startFaultProxy(database.url)
  open.push(() => proxy.close())
  const pool = openPool({ connectionString: proxy.url, max: 4 })
  const driver = fromPg(pool)
  await driver.query(one, patient)
  await proxy.blackHole()
  const calls: Promise<unknown>[] = []
  for (let wave = 0; wave < 15; wave += 1) {
    for (let call = 0; call < 40; call += 1) {
      calls.push(driver.query(one, { timeout: 2_000 }).catch((error: Error) => error.name))
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(pool.waitingCount).toBeLessThanOrEqual(4)
  }
  const names = new Set(await Promise.all(calls))
  expect([...names].sort()).toEqual(['CrowdedError', 'DeadlineError'])
  await proxy.pass()
  expect(await driver.query(one, patient)).toEqual([{ one: '1' }])
})
