import pg from 'pg'
import { type DeadlineError, fromPg, type PgPoolLike } from 'pg-sessions/pg'
import {
  type DriverHarness,
  driverContract,
  type FaultProxy,
  startFaultProxy,
} from 'pg-sessions/testing'
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addressOf, at } from '../support/database-address.ts'

let database: TestDatabase
const open: (pg.Pool | FaultProxy)[] = []

beforeAll(async () => {
  database = await createTestDatabase()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((it) => ('end' in it ? it.end() : it.close())))
})
afterAll(() => database.drop())

const spoiling = { getTypeParser: () => () => 'spoilt' }
const pid = { name: 'pid', text: 'select pg_backend_pid()::text as pid', values: [] }
const sleep = { name: 'sleep', text: `select 'slept' as x from pg_sleep(5)`, values: [] }
const patient = { timeout: 20_000 }
const impatient = { timeout: 50 }

function openPool(config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: database.url, ...config })
  open.push(pool)
  return pool
}

async function openHarness(options: { prepare: boolean }): Promise<DriverHarness> {
  const pool = new pg.Pool({ connectionString: database.url, max: 4, types: spoiling })
  return {
    driver: fromPg(pool, options),
    connections: 4,
    runOnClient: async (sql) => {
      await pool.query(sql)
    },
    useClient: async () => {
      await pool.query('select 1')
    },
    killBackends: async () => {
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`,
      )
    },
    server: addressOf(database.url),
    driverAt: async (host, port) => {
      const other = new pg.Pool({ connectionString: at(database.url, host, port), max: 4 })
      return { driver: fromPg(other, options), dispose: () => other.end() }
    },
    dispose: () => pool.end(),
  }
}

describe('fromPg keeps the driver contract', () => {
  driverContract({ describe, it }, () => openHarness({ prepare: true }))
})

describe('fromPg without prepared statements keeps the driver contract', () => {
  driverContract({ describe, it }, () => openHarness({ prepare: false }))
})

describe('fromPg', () => {
  it('takes every Pool of pg as it is', () => {
    expectTypeOf<pg.Pool>().toExtend<PgPoolLike>()
  })

  it.each([true, false])('prepares statements on the server: %s', async (prepare) => {
    const driver = fromPg(openPool({ max: 1 }), { prepare })
    await driver.query(pid, patient)
    const rows = await driver.query(
      { name: 'prepared', text: 'select name::text from pg_prepared_statements', values: [] },
      patient,
    )
    expect(rows.map(({ name }) => name)).toEqual(prepare ? ['pid', 'prepared'] : [])
  })

  it('reads what a client set to binary gives', async () => {
    const driver = fromPg(openPool({ binary: true } as pg.PoolConfig))
    const text = 'select $1::text as echo'
    expect(await driver.query({ name: 'echo', text, values: ['zß水'] }, patient)).toEqual([
      { echo: 'zß水' },
    ])
  })

  it('listens to a pool once, however often it is wrapped, beside the listeners of its owner', async () => {
    const pool = openPool({ max: 1 })
    const heard: Error[] = []
    pool.on('error', (error) => heard.push(error))
    fromPg(pool)
    fromPg(pool)
    const driver = fromPg(pool)
    expect(pool.listenerCount('error')).toBe(2)

    const [row] = await driver.query(pid, patient)
    const news = new Promise((resolve) => pool.once('error', resolve))
    await database.query(`select pg_terminate_backend(${row?.pid})`)
    await news
    expect(heard).toEqual([expect.objectContaining({ code: '57P01' })])
  })

  it('keeps a client after an error about the statement', async () => {
    const driver = fromPg(openPool({ max: 1 }))
    const before = await driver.query(pid, patient)
    await expect(
      driver.query({ name: 'divide', text: 'select (1 / 0)::text', values: [] }, patient),
    ).rejects.toMatchObject({ code: '22012' })
    expect(await driver.query(pid, patient)).toEqual(before)
  })

  it('destroys a client that timed out, and one whose server has become read-only', async () => {
    const driver = fromPg(openPool({ max: 1 }))
    const first = await driver.query(pid, patient)
    await expect(driver.query(sleep, impatient)).rejects.toThrow('did not answer within')
    const second = await driver.query(pid, patient)
    expect(second).not.toEqual(first)

    await driver.withConnection((connection) =>
      connection.run('set default_transaction_read_only = on'),
    )
    await expect(
      driver.query({ name: 'create', text: 'create table t ()', values: [] }, patient),
    ).rejects.toMatchObject({ code: '25006' })
    expect(await driver.query(pid, patient)).not.toEqual(second)
  })

  it('says of calls that an ended pool has forgotten, and of those behind them, that it was ended', async () => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 })
    const driver = fromPg(pool)
    const held = await pool.connect()
    const waiting = [
      ...Array.from({ length: 5 }, () => driver.query(pid, { timeout: 500 })),
      driver.withConnection((connection) => connection.query(pid, patient), { timeout: 500 }),
    ]
    const ended = pool.end()
    const late = [driver.query(pid, patient), driver.withConnection(async () => 'lent', patient)]
    for (const answer of await Promise.allSettled([...waiting, ...late])) {
      expect(String(Object(answer).reason)).toContain('after calling end on the pool')
    }
    held.release()
    await ended
  })

  it('destroys a client on which use failed', async () => {
    const driver = fromPg(openPool({ max: 1 }))
    const before = await driver.query(pid, patient)
    await expect(driver.withConnection(() => Promise.reject(new RangeError()))).rejects.toThrow()
    expect(await driver.query(pid, patient)).not.toEqual(before)
  })

  it('puts a client back that came too late for its caller', async () => {
    const pool = openPool({ max: 1 })
    const driver = fromPg(pool)
    const lent = await pool.connect()
    await expect(driver.query(pid, impatient)).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      syscall: 'connect',
    } satisfies Partial<DeadlineError>)
    lent.release()
    await driver.query(pid, patient)
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0])
  })

  it('ends every call in time while the network is silent, and recovers after it', async () => {
    const proxy = await startFaultProxy(database.url)
    open.push(proxy)
    const driver = fromPg(openPool({ connectionString: proxy.url, max: 2 }))
    await driver.query(pid, patient)
    await proxy.blackHole()
    for (let count = 0; count < 5; count += 1) {
      await expect(driver.query(pid, impatient)).rejects.toThrow()
    }
    await proxy.pass()
    expect(await driver.query(pid, patient)).toHaveLength(1)
  })
})
