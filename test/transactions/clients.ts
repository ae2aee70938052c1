import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOnPglite } from 'drizzle-orm/pglite'
import { drizzle as drizzleOnPostgresJs } from 'drizzle-orm/postgres-js'
import knex from 'knex'
import { Kysely, sql as kyselySql, PostgresDialect } from 'kysely'
import pg from 'pg'
import pgPromise from 'pg-promise'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, type PgPoolLike } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'
import { openPglite } from '../support/pglite.ts'

/** A client as an application uses it, and the driver of its sessions. */
export interface Client {
  readonly driver: Driver
  /** Begins a transaction, and commits it unless `use` throws. */
  transaction(use: (transaction: object, run: Run) => Promise<void>): Promise<void>
  close(): Promise<unknown>
}

/** Runs a statement of the application's own in the transaction. */
type Run = (statement: string) => Promise<unknown>

const poolOf = (url: string): pg.Pool => new pg.Pool({ connectionString: url, max: 4 })
const asDriver = (pool: unknown): Driver => fromPg(pool as PgPoolLike)
const quiet = { onnotice: () => {} }

/** Opens each client on a database. */
export const clients: Readonly<Record<string, (url: string) => Promise<Client>>> = {
  'a client of pg': async (url) => {
    const pool = poolOf(url)
    return {
      driver: fromPg(pool),
      async transaction(use) {
        const client = await pool.connect()
        await client.query('begin')
        try {
          await use(client, (statement) => client.query(statement))
          await client.query('commit')
        } catch (error) {
          await client.query('rollback')
          throw error
        } finally {
          client.release()
        }
      },
      close: () => pool.end(),
    }
  },
  'sql.begin of postgres.js': async (url) => {
    const client = postgres(url, { max: 4, ...quiet })
    return {
      driver: fromPostgresJs(client),
      transaction: async (use) => {
        await client.begin((tx) => use(tx, (statement) => tx.unsafe(statement)))
      },
      close: () => client.end(),
    }
  },
  PGlite: async () => {
    const db = await openPglite()
    return {
      driver: fromPglite(db),
      transaction: (use) => db.transaction((tx) => use(tx, (statement) => tx.query(statement))),
      close: () => db.close(),
    }
  },
  'Drizzle on pg': async (url) => {
    const db = drizzle(poolOf(url))
    return {
      driver: fromPg(db.$client),
      transaction: (use) =>
        db.transaction((tx) => use(tx, (statement) => tx.execute(sql.raw(statement)))),
      close: () => db.$client.end(),
    }
  },
  'Drizzle on postgres.js': async (url) => {
    const client = postgres(url, { max: 4, ...quiet })
    const db = drizzleOnPostgresJs(client)
    return {
      driver: fromPostgresJs(client),
      transaction: (use) =>
        db.transaction((tx) => use(tx, async (statement) => tx.execute(sql.raw(statement)))),
      close: () => client.end(),
    }
  },
  'Drizzle on PGlite': async () => {
    const client = await openPglite()
    const db = drizzleOnPglite(client)
    return {
      driver: fromPglite(client),
      transaction: (use) =>
        db.transaction((tx) => use(tx, (statement) => tx.execute(sql.raw(statement)))),
      close: () => client.close(),
    }
  },
  Kysely: async (url) => {
    const pool = poolOf(url)
    const db = new Kysely<object>({ dialect: new PostgresDialect({ pool }) })
    return {
      driver: fromPg(pool),
      transaction: (use) =>
        db
          .transaction()
          .execute((trx) => use(trx, (statement) => kyselySql.raw(statement).execute(trx))),
      close: () => db.destroy(),
    }
  },
  Knex: async (url) => {
    const pool = poolOf(url)
    const db = knex({ client: 'pg', connection: url, pool: { min: 0, max: 4 } })
    return {
      driver: fromPg(pool),
      transaction: (use) =>
        db.transaction((trx) => use(trx, async (statement) => trx.raw(statement))),
      close: () => Promise.all([db.destroy(), pool.end()]),
    }
  },
  'pg-promise': async (url) => {
    const db = pgPromise({ noWarnings: true })(url)
    return {
      driver: asDriver(db.$pool),
      transaction: (use) => db.tx((t) => use(t, (statement) => t.any(statement))),
      close: async () => db.$pool.end(),
    }
  },
  'the manager of TypeORM': async (url) => {
    const dataSource = await new DataSource({ type: 'postgres', url }).initialize()
    return {
      driver: asDriver((dataSource.driver as unknown as { master: unknown }).master),
      transaction: (use) =>
        dataSource.transaction((manager) => use(manager, (statement) => manager.query(statement))),
      close: () => dataSource.destroy(),
    }
  },
  'a QueryRunner of TypeORM': async (url) => {
    const dataSource = await new DataSource({ type: 'postgres', url }).initialize()
    return {
      driver: asDriver((dataSource.driver as unknown as { master: unknown }).master),
      async transaction(use) {
        const runner = dataSource.createQueryRunner()
        await runner.startTransaction()
        try {
          await use(runner, (statement) => runner.query(statement))
          await runner.commitTransaction()
        } catch (error) {
          await runner.rollbackTransaction()
          throw error
        } finally {
          await runner.release()
        }
      },
      close: () => dataSource.destroy(),
    }
  },
  Sequelize: async (url) => {
    const pool = poolOf(url)
    const sequelize = new Sequelize(url, { logging: false, pool: { max: 4 } })
    return {
      driver: fromPg(pool),
      transaction: (use) =>
        sequelize.transaction((transaction) =>
          use(transaction, (statement) => sequelize.query(statement, { transaction })),
        ),
      close: () => Promise.all([sequelize.close(), pool.end()]),
    }
  },
  'a function of your own': async (url) => {
    const pool = poolOf(url)
    return {
      driver: fromPg(pool),
      async transaction(use) {
        const client = await pool.connect()
        await client.query('begin')
        try {
          const query = async (text: string, values: unknown[]) =>
            (await client.query(text, values)).rows
          await use(query, (statement) => client.query(statement))
          await client.query('commit')
        } catch (error) {
          await client.query('rollback')
          throw error
        } finally {
          client.release()
        }
      },
      close: () => pool.end(),
    }
  },
}
