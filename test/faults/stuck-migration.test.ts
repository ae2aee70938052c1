import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Deadline } from '../../src/store/deadline.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** A call's deadline. Without one, a migration would wait for a minute or for ever. */
const deadline = 1000

let database: TestDatabase
let proxy: FaultProxy

beforeEach(async () => {
  database = await createTestDatabase()
  proxy = await startFaultProxy(database.url)
})
afterEach(async () => {
  await proxy.close()
  await database.drop()
})

/** The same driver; something happens between the look at the tables and the first migration. */
function butFirst(driver: Driver, happen: () => Promise<unknown>): Driver {
  let isFirst = true
  return {
    ...driver,
    async withConnection(use) {
      if (isFirst) await happen()
      isFirst = false
      return driver.withConnection(use)
    },
  }
}

function openPg(options: pg.PoolConfig = {}): { driver: Driver; pool: pg.Pool } {
  const pool = new pg.Pool({ connectionString: proxy.url, ...options })
  return { driver: fromPg(pool), pool }
}

function openPostgresJs(max: number): { driver: Driver; sql: postgres.Sql } {
  const sql = postgres(proxy.url, { max, onnotice: () => {} })
  return { driver: fromPostgresJs(sql), sql }
}

/** The store says that it is unavailable, and is ready as soon as the way is free. */
async function expectStuckUntil(driver: Driver, free: () => unknown): Promise<void> {
  const store = new PostgresStore({ driver, deadline: `${deadline}ms` })
  await expect(store.ready()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  await free()
  const ready = (): Promise<string> => store.ready().then(() => 'ready', String)
  await expect.poll(ready, { timeout: 10_000 }).toBe('ready')
  await store.close()
}

test('a migration whose connection gets no greeting gives up, and the next one succeeds', async () => {
  // Each use is on a connection of its own, and pg waits for ever for an answer to its greeting.
  const { driver, pool } = openPg({ maxUses: 1 })
  await expectStuckUntil(
    butFirst(driver, () => proxy.blackHole()),
    () => proxy.passNew(),
  )
  proxy.cut()
  await pool.end()
})

test('a call ends at its deadline while a migration goes on, and works once that is done', async () => {
  const { driver, pool } = openPg()
  let finish = (): void => {}
  const migrated = new Promise<void>((resolve) => {
    finish = resolve
  })
  const store = new PostgresStore({
    driver: butFirst(driver, () => migrated),
    deadline: `${deadline}ms`,
  })
  // The work that it waits for has the store's own deadline, which is longer.
  await expect(store.count({ deadline: new Deadline(100) })).rejects.toMatchObject({
    code: 'ERR_STORE_UNAVAILABLE',
    outcome: 'none',
    message: expect.stringContaining('within 100 ms'),
  })
  finish()
  await expect.poll(() => store.count().catch(String)).toEqual({ live: 0, expired: 0 })
  await store.close()
  await pool.end()
})

test('a migration that finds no free connection says so, and leaves the next one to others', async () => {
  const { driver, pool } = openPg({ max: 1 })
  let held: pg.PoolClient | undefined
  const hold = async (): Promise<void> => {
    held = await pool.connect()
  }
  const store = new PostgresStore({ driver: butFirst(driver, hold), deadline: `${deadline}ms` })
  await expect(store.ready()).rejects.toThrow('No database connection was available within 1000 ms')
  held?.release()
  const { rows } = await pool.query(`select to_regnamespace('sessions') as found`)
  expect(rows).toEqual([{ found: null }])
  expect(pool.totalCount).toBe(1)
  await store.ready()
  await store.close()
  await pool.end()
})

test("postgres.js: connections that the application holds don't keep a migration waiting", async () => {
  const { driver, sql } = openPostgresJs(1)
  const held = await sql.reserve()
  const store = new PostgresStore({ driver, deadline: `${deadline}ms` })
  await store.ready()
  await store.close()
  held.release()
  await sql.end()
})

test.each(['pg', 'postgres.js'])(
  'a migration over a connection of %s that is dead gives up, and the next one succeeds',
  async (client) => {
    const { driver, end } =
      client === 'pg'
        ? (({ driver, pool }) => ({ driver, end: () => pool.end() }))(openPg())
        : (({ driver, sql }) => ({ driver, end: () => sql.end({ timeout: 1 }) }))(openPostgresJs(2))
    await expectStuckUntil(
      butFirst(driver, () => proxy.blackHole()),
      () => proxy.passNew(),
    )
    proxy.cut()
    await end()
  },
)
