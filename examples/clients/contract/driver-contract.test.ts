import { after, describe, it } from 'node:test'
import knex from 'knex'
import { Client } from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, knexPool, sequelizePool } from 'pg-sessions/pg'
import { type DriverHarness, driverContract } from 'pg-sessions/testing'
import { Sequelize } from 'sequelize'

const url = new URL(process.env.DATABASE_URL ?? '')
const server = { host: url.hostname, port: Number(url.port || 5432) }

// Connections that listen keep no process alive.
const alive = setInterval(() => {}, 60_000)
after(() => clearInterval(alive))

interface Opened {
  readonly driver: Driver
  use(): Promise<unknown>
  close(): Promise<void>
}

const silent = { warn() {}, error() {}, deprecate() {}, debug() {} }

/** The ORMs whose pools are reached, with four connections. */
const orms: Readonly<Record<string, (url: string) => Opened>> = {
  Knex(connection) {
    const db = knex({ client: 'pg', connection, pool: { min: 0, max: 4 }, log: silent })
    return {
      driver: fromPg(knexPool(db)),
      use: async () => db.raw('select 1'),
      close: () => db.destroy(),
    }
  },
  Sequelize(connection) {
    const sequelize = new Sequelize(connection, { logging: false, pool: { max: 4 } })
    return {
      driver: fromPg(sequelizePool(sequelize)),
      use: () => sequelize.query('select 1'),
      close: () => sequelize.close(),
    }
  },
}

for (const [name, open] of Object.entries(orms)) {
  describe(`the pool of ${name} keeps the driver contract`, () => {
    driverContract({ describe, it }, async (): Promise<DriverHarness> => {
      const { driver, use, close } = open(url.href)
      return {
        driver,
        connections: 4,
        server,
        useClient: async () => {
          await use()
        },
        killBackends,
        driverAt: async (host, port) => {
          const other = new URL(url)
          Object.assign(other, { hostname: host, port: String(port) })
          const opened = open(other.href)
          return { driver: opened.driver, dispose: () => opened.close().catch(() => {}) }
        },
        dispose: close,
      }
    })
  })
}

async function killBackends(): Promise<void> {
  const client = new Client({ connectionString: url.href })
  await client.connect()
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`,
  )
  await client.end()
}
