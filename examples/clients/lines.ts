/** One line for each client on the page "Which client do you have?", and how a transaction is passed to `sessions.in`. */
import { PGlite } from '@electric-sql/pglite'
import { MikroORM, type EntityManager } from '@mikro-orm/postgresql'
import { neonConfig, Pool as NeonPool } from '@neondatabase/serverless'
import { PrismaPg } from '@prisma/adapter-pg'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOnPglite } from 'drizzle-orm/pglite'
import { drizzle as drizzleOnPostgresJs } from 'drizzle-orm/postgres-js'
import knex, { type Knex } from 'knex'
import { Kysely, PostgresDialect, sql as kyselySql } from 'kysely'
import { Pool } from 'pg'
import pgPromise from 'pg-promise'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, knexPool, type PgPoolLike, sequelizePool } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { Sequelize } from 'sequelize'
import { createPool, createTypeParserPreset, sql as slonikSql } from 'slonik'
import { DataSource } from 'typeorm'
import { z } from 'zod'
import { PrismaClient } from './build/prisma/client.ts'

/** An application's client, with the driver that its line makes. */
export interface Line {
  readonly driver: Driver
  /** Begins a transaction of the client, and commits it unless `use` throws. */
  transaction?(use: (transaction: object, run: Run) => Promise<void>): Promise<void>
  close(): Promise<unknown>
}

type Run = (statement: string) => Promise<unknown>

/** By the name that the page gives the client. */
export const lines: Readonly<Record<string, (connectionString: string) => Promise<Line>>> = {
  async pg(connectionString) {
    const pool = new Pool({ connectionString })
    return {
      driver: fromPg(pool),
      transaction: (use) => inTransactionOf(pool, use),
      close: () => pool.end(),
    }
  },

  async 'postgres.js'(connectionString) {
    const sql = postgres(connectionString, { onnotice: () => {} })
    return {
      driver: fromPostgresJs(sql),
      transaction: async (use) => {
        await sql.begin((tx) => use(tx, (statement) => tx.unsafe(statement)))
      },
      close: () => sql.end(),
    }
  },

  async PGlite() {
    const db = await PGlite.create()
    return {
      driver: fromPglite(db),
      transaction: (use) => db.transaction((tx) => use(tx, (statement) => tx.query(statement))),
      close: () => db.close(),
    }
  },

  async 'Drizzle on pg'(connectionString) {
    const db = drizzle(connectionString)
    return {
      driver: fromPg(db.$client),
      transaction: (use) =>
        db.transaction((tx) => use(tx, (statement) => tx.execute(drizzleSql.raw(statement)))),
      close: () => db.$client.end(),
    }
  },

  async 'Drizzle on postgres.js'(connectionString) {
    const db = drizzleOnPostgresJs(postgres(connectionString, { onnotice: () => {} }))
    return {
      driver: fromPostgresJs(db.$client),
      transaction: (use) =>
        db.transaction((tx) => use(tx, async (statement) => tx.execute(drizzleSql.raw(statement)))),
      close: () => db.$client.end(),
    }
  },

  async 'Drizzle on PGlite'() {
    const db = drizzleOnPglite()
    return {
      driver: fromPglite(db.$client),
      transaction: (use) =>
        db.transaction((tx) => use(tx, (statement) => tx.execute(drizzleSql.raw(statement)))),
      close: () => db.$client.close(),
    }
  },

  async Kysely(connectionString) {
    const pool = new Pool({ connectionString })
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

  async Knex(connectionString) {
    const db = knex({ client: 'pg', connection: connectionString })
    return {
      driver: fromPg(knexPool(db)),
      transaction: (use) =>
        db.transaction((trx) => use(trx, async (statement) => trx.raw(statement))),
      close: () => db.destroy(),
    }
  },

  async Prisma(connectionString) {
    const pool = new Pool({ connectionString })
    const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
    return {
      driver: fromPg(pool),
      transaction: (use) =>
        prisma.$transaction((tx) => use(tx, (statement) => tx.$executeRawUnsafe(statement))),
      close: async () => {
        await prisma.$disconnect()
        await pool.end()
      },
    }
  },

  async TypeORM(connectionString) {
    const dataSource = new DataSource({ type: 'postgres', url: connectionString })
    await dataSource.initialize()
    const { master } = dataSource.driver as unknown as { master: PgPoolLike }
    return {
      driver: fromPg(master),
      transaction: (use) =>
        dataSource.transaction((manager) => use(manager, (statement) => manager.query(statement))),
      close: () => dataSource.destroy(),
    }
  },

  async Sequelize(connectionString) {
    const sequelize = new Sequelize(connectionString, { logging: false })
    return {
      driver: fromPg(sequelizePool(sequelize)),
      transaction: (use) =>
        sequelize.transaction((transaction) =>
          use(transaction, (statement) => sequelize.query(statement, { transaction })),
        ),
      close: () => sequelize.close(),
    }
  },

  async 'pg-promise'(connectionString) {
    const db = pgPromise({ noWarnings: true })(connectionString)
    return {
      driver: fromPg(db.$pool as unknown as PgPoolLike),
      transaction: (use) => db.tx((t) => use(t, (statement) => t.any(statement))),
      close: async () => db.$pool.end(),
    }
  },

  async MikroORM(connectionString) {
    const orm = await MikroORM.init({
      clientUrl: connectionString,
      entities: [],
      discovery: { warnWhenNoEntities: false },
    })
    const knexOfOrm = orm.em.getConnection().getKnex() as unknown as Knex
    return {
      driver: fromPg(knexPool(knexOfOrm)),
      transaction: (use) =>
        (orm.em.fork() as EntityManager).transactional((em) =>
          use(em, (statement) => em.execute(statement)),
        ),
      close: () => orm.close(),
    }
  },

  async Slonik(connectionString) {
    const slonik = await createPool(connectionString, {
      typeParsers: createTypeParserPreset(),
    })
    const pool = new Pool({ connectionString, max: 5 })
    return {
      driver: fromPg(pool),
      transaction: (use) =>
        slonik.transaction((connection) => {
          const query = async (text: string, values: (string | null)[]) =>
            connection.any({ ...slonikSql.type(z.any())``, sql: text, values })
          return use(query, (statement) => query(statement, []))
        }),
      close: () => Promise.all([slonik.end(), pool.end()]),
    }
  },

  async Neon(connectionString) {
    const pool = new NeonPool({ connectionString })
    return {
      driver: fromPg(pool),
      transaction: (use) => inTransactionOf(pool as unknown as Pool, use),
      close: () => pool.end(),
    }
  },

  async Supabase(connectionString) {
    const pool = new Pool({ connectionString })
    return {
      driver: fromPg(pool, { prepare: false }),
      transaction: (use) => inTransactionOf(pool, use),
      close: () => pool.end(),
    }
  },
}

/** Sends Neon's client to a proxy of ours, rather than to Neon's. */
export function useNeonProxy(
  address: string,
  webSocket: typeof neonConfig.webSocketConstructor,
): void {
  neonConfig.webSocketConstructor = webSocket
  neonConfig.wsProxy = () => address
  neonConfig.useSecureWebSocket = false
  neonConfig.pipelineConnect = false
  neonConfig.pipelineTLS = false
}

async function inTransactionOf(
  pool: Pool,
  use: (transaction: object, run: Run) => Promise<void>,
): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await use(client, (statement) => client.query(statement))
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
