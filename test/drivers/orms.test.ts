import { drizzle } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOnPostgresJs } from 'drizzle-orm/postgres-js'
import knex from 'knex'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import pgPromise from 'pg-promise'
import { createSessions } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, fromPgClient, type PgPoolLike } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { openPglite } from '../support/pglite.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

function openPool(): pg.Pool {
  const pool = new pg.Pool({ connectionString: database.url, max: 2 })
  onTestFinished(() => pool.end())
  return pool
}

/** Signs a user in and finds them again. */
async function expectToWork(driver: Driver): Promise<void> {
  const sessions = createSessions({ database: driver, log: false })
  const exchange = sessions.open(null)
  await exchange.session.signIn('ann')
  const { setCookies } = await exchange.commit()
  const next = sessions.open(setCookies[0]?.split(';')[0])
  await next.session.load()
  expect(next.session.userId).toBe('ann')
  await sessions.close()
}

describe('each line of the page on clients works', () => {
  test('Drizzle on pg: fromPg(db.$client)', async () => {
    const db = drizzle(openPool())
    await expectToWork(fromPg(db.$client))
  })

  test('Drizzle on postgres.js: fromPostgresJs(db.$client)', async () => {
    const sql = postgres(database.url, { max: 2, onnotice: () => {} })
    onTestFinished(() => sql.end())
    await expectToWork(fromPostgresJs(drizzleOnPostgresJs(sql).$client))
  })

  test('Kysely: fromPg(pool), with the pool of the dialect', async () => {
    const pool = openPool()
    const db = new Kysely<{ sessions: object }>({ dialect: new PostgresDialect({ pool }) })
    expect(db.isTransaction).toBe(false)
    await expectToWork(fromPg(pool))
  })

  test('pg-promise: fromPg(db.$pool)', async () => {
    const db = pgPromise({ noWarnings: true })(database.url)
    onTestFinished(() => db.$pool.end())
    await expectToWork(fromPg(db.$pool as unknown as PgPoolLike))
  })

  test('TypeORM: fromPg(dataSource.driver.master)', async () => {
    const dataSource = new DataSource({ type: 'postgres', url: database.url })
    await dataSource.initialize()
    onTestFinished(() => dataSource.destroy())
    await expectToWork(fromPg((dataSource.driver as unknown as { master: PgPoolLike }).master))
  })
})

describe('a client that is not a driver is recognized, and the message has the line to write', () => {
  const url = 'postgres://ann:secret@localhost/shop'
  const makers: [name: string, make: () => unknown, line: string][] = [
    ['Drizzle', () => drizzle(new pg.Pool()), 'Write fromPg(db.$client)'],
    [
      'Kysely',
      () => new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool() }) }),
      'PostgresDialect',
    ],
    ['Knex', () => knex({ client: 'pg', connection: url }), 'fromPg(knexPool(knex))'],
    [
      'pg-promise',
      () => pgPromise({ noWarnings: true })({ host: 'localhost', database: 'advice' }),
      'Write fromPg(db.$pool)',
    ],
    ['Sequelize', () => new Sequelize(url, { logging: false }), 'fromPg(sequelizePool(sequelize))'],
    [
      'TypeORM',
      () => new DataSource({ type: 'postgres', url }),
      'Write fromPg(dataSource.driver.master)',
    ],
    ['postgres.js', () => postgres(url), 'Write fromPostgresJs(sql)'],
    ['PGlite', () => openPglite(), 'Write fromPglite(db)'],
  ]

  test.each(makers)('%s', async (_, make, line) => {
    const client = await make()
    for (const use of [
      () => createSessions({ database: client as Driver }),
      () => fromPg(client as PgPoolLike),
      () => fromPgClient(client as never),
    ]) {
      expect(use).toThrow(line)
      expect(use).not.toThrow('secret')
    }
  })

  test('a pool of pg in the place of a driver, or of a client of postgres.js', () => {
    const pool = new pg.Pool()
    expect(() => createSessions({ database: pool as never })).toThrow('Write fromPg(pool)')
    expect(() => fromPostgresJs(pool as never)).toThrow('Write fromPg(pool)')
    expect(() => fromPglite(pool as never)).toThrow('Write fromPg(pool)')
  })
})
