import type { Statement } from 'pg-sessions/driver'
import { fromPostgresJs, type PostgresJsLike } from 'pg-sessions/postgres-js'
import {
  type DriverHarness,
  driverContract,
  type FaultProxy,
  startFaultProxy,
} from 'pg-sessions/testing'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addressOf, at } from '../support/database-address.ts'

let database: TestDatabase
const open: (() => Promise<void> | void)[] = []

beforeAll(async () => {
  database = await createTestDatabase()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()))
})
afterAll(() => database.drop())

const patient = { timeout: 20_000 }
const impatient = { timeout: 50 }
const pid = { name: 'pid', text: 'select pg_backend_pid()::text as pid', values: [] }
const sleep = { name: 'sleep', text: `select 'slept' as x from pg_sleep(60)`, values: [] }

function echo(name: string): Statement {
  return { name: 'echo', text: 'select $1::text as x', values: [name] }
}

/** Turns all that goes in or out into something else, wherever postgres.js lets a user do so. */
const spoiling = {
  types: {
    spoilt: {
      to: 25,
      from: [16, 17, 20, 25, 114, 1009, 1184],
      serialize: () => 'spoilt',
      parse: () => 'spoilt',
    },
  },
  transform: { column: postgres.toCamel, value: () => 'spoilt' },
}

function openSql(url: string, options: postgres.Options<Record<string, postgres.PostgresType>>) {
  const sql = postgres(url, { onnotice: () => {}, backoff: () => 0.01, ...options })
  open.push(() => sql.end({ timeout: 1 }))
  return sql
}

async function openProxy(): Promise<FaultProxy> {
  const proxy = await startFaultProxy(database.url)
  open.push(() => proxy.close())
  return proxy
}

async function openHarness(options: { prepare: boolean }): Promise<DriverHarness> {
  const sql = postgres(database.url, { max: 4, onnotice: () => {}, ...spoiling })
  return {
    driver: fromPostgresJs(sql, options),
    connections: 4,
    useClient: async () => {
      await sql`select 1`
    },
    killBackends: async () => {
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`,
      )
    },
    server: addressOf(database.url),
    driverAt: async (host, port) => {
      const other = postgres(at(database.url, host, port), { max: 4, onnotice: () => {} })
      return { driver: fromPostgresJs(other, options), dispose: () => other.end({ timeout: 1 }) }
    },
    dispose: () => sql.end({ timeout: 1 }),
  }
}

describe('fromPostgresJs keeps the driver contract', () => {
  driverContract({ describe, it }, () => openHarness({ prepare: true }))
})

describe('fromPostgresJs without prepared statements keeps the driver contract', () => {
  driverContract({ describe, it }, () => openHarness({ prepare: false }))
})

describe('fromPostgresJs', () => {
  it('takes every client of postgres.js as it is', () => {
    expectTypeOf<postgres.Sql>().toExtend<PostgresJsLike>()
    expectTypeOf<postgres.Sql<{ moment: Date }>>().toExtend<PostgresJsLike>()
  })

  it.each([true, false])('prepares statements on the server: %s', async (prepare) => {
    const driver = fromPostgresJs(openSql(database.url, { max: 1 }), { prepare })
    await driver.query(pid, patient)
    const text = `select count(*)::text as count from pg_prepared_statements
      where statement like '%pg_backend_pid%' and statement not like '%count%'`
    expect(await driver.query({ name: 'prepared', text, values: [] }, patient)).toEqual([
      { count: prepare ? '1' : '0' },
    ])
  })

  it('takes a client that transforms rows', async () => {
    const driver = fromPostgresJs(openSql(database.url, { transform: { row: () => ({}) } }))
    expect(await driver.query(echo('ann'), patient)).toEqual([{ x: 'ann' }])
  })

  it('has the server stop a statement that was given up', async () => {
    const driver = fromPostgresJs(openSql(database.url, {}))
    await expect(driver.query(sleep, impatient)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    const sleeping = `select pid from pg_stat_activity
      where datname = current_database() and wait_event = 'PgSleep'`
    await expect.poll(() => database.query(sleeping), { timeout: 20_000 }).toEqual([])
  })

  it('survives a statement that cannot be cancelled, because the server takes no connection', async () => {
    const proxy = await openProxy()
    const driver = fromPostgresJs(openSql(proxy.url, { max: 1 }))
    await driver.query(pid, patient)
    void proxy.refuseNew()
    await expect(driver.query(sleep, impatient)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    // The refusal of the cancel request arrives in the next turns of the event loop.
    await expect(driver.query(pid, patient)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('does not lend on a connection that still owes an answer', async () => {
    const proxy = await openProxy()
    const driver = fromPostgresJs(openSql(proxy.url, { max: 2 }))
    await driver.withConnection(async (connection) => {
      await connection.query(pid, patient)
      await proxy.blackHole()
      proxy.passNew()
      await expect(connection.query(pid, impatient)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    })
    expect(await driver.query(pid, patient)).toHaveLength(1)
  })

  it('still uses a connection that was made too late for the statement that wanted it', async () => {
    const proxy = await openProxy()
    await proxy.blackHole()
    const driver = fromPostgresJs(openSql(proxy.url, { max: 1 }))
    await expect(driver.query(pid, impatient)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    await proxy.pass()
    expect(await driver.query(pid, patient)).toHaveLength(1)
  })

  it('tells the owner of closing connections as before', async () => {
    const closed: number[] = []
    const sql = openSql(database.url, { max: 1, onclose: (id) => closed.push(id) })
    await fromPostgresJs(sql).withConnection((connection) => connection.query(pid, patient))
    await sql.end()
    expect(closed).toHaveLength(1)
  })

  it('lets the client be ended after a loan failed', async () => {
    const sql = openSql(database.url, { max: 1 })
    const driver = fromPostgresJs(sql)
    await driver.query(pid, patient)
    await expect(driver.withConnection(() => Promise.reject(new RangeError()))).rejects.toThrow()
    await sql.end()
  })

  it('sends nothing more on a lent connection that died', async () => {
    const driver = fromPostgresJs(openSql(database.url, { max: 2 }))
    const loan = driver.withConnection(async (connection) => {
      const [row] = await connection.query(pid, patient)
      await database.query(`select pg_terminate_backend(${row?.pid})`)
      const first = await connection.query(pid, patient).catch((error: unknown) => error)
      const second = await connection.query(pid, patient).catch((error: unknown) => error)
      expect(second).toBe(first)
      throw first
    })
    await expect(loan).rejects.toThrow()
    expect(await driver.query(pid, patient)).toHaveLength(1)
  })
})
