import pg from 'pg'
import { MemoryStore, PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import type { SessionStore } from 'pg-sessions/store'
import postgres from 'postgres'
import { createTestDatabase } from '../support/database.ts'
import { openPglite } from '../support/pglite.ts'
import { elapse } from '../support/postgres-store.ts'
import { faultyDriver, faultyStore } from './faulty-driver.ts'
import { type Ground, untilAtRest } from './ground.ts'
import { waiGround } from './wai-ground.ts'

export const GROUNDS: Readonly<Record<string, () => Promise<Ground>>> = {
  memory: async () => memoryGround(),
  'tables of wai-session-postgresql': waiGround,
  pg: pgGround,
  'one pg client': pgClientGround,
  'postgres.js': postgresJsGround,
  pglite: pgliteGround,
}

function memoryGround(): Ground {
  return {
    async open(weather) {
      let ahead = 0
      const store = new MemoryStore({ now: () => Date.now() + ahead })
      // Each process closes its store, and the others go on.
      const open = (it: SessionStore): SessionStore =>
        new Proxy(it, {
          get(target, name) {
            if (name === 'close') return async () => {}
            const value: unknown = Reflect.get(target, name)
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      return {
        stores: [open(faultyStore(store, weather)), open(faultyStore(store, weather))],
        calm: open(store),
        elapse: async (milliseconds) => {
          ahead += milliseconds
        },
        rest: async () => null,
      }
    },
    close: async () => {},
  }
}

/** Two processes with a driver each. */
interface Drivers {
  readonly drivers: readonly Driver[]
  readonly query: (sql: string, values?: unknown[]) => Promise<unknown>
  readonly rest: () => Promise<string | null>
  readonly close: () => Promise<void>
}

export async function driversGround({ drivers, query, rest, close }: Drivers): Promise<Ground> {
  const calm = drivers[0] as Driver
  await new PostgresStore({ driver: calm, deadline: '30s' }).ready()
  return {
    async open(weather, { shares, deadline }) {
      await query('delete from sessions.session')
      const storeOn = (driver: Driver): SessionStore =>
        new PostgresStore({
          driver,
          migrate: 'off',
          deadline: `${deadline}ms`,
          groupCommit: shares,
        })
      return {
        stores: drivers.map((driver) => storeOn(faultyDriver(driver, weather))),
        calm: storeOn(calm),
        elapse: (milliseconds) => elapse({ query } as never, milliseconds),
        rest,
      }
    },
    close,
  }
}

async function pgGround(): Promise<Ground> {
  const database = await createTestDatabase()
  const pools = [1, 2].map(() => new pg.Pool({ connectionString: database.url, max: 4 }))
  const [pool] = pools as [pg.Pool, pg.Pool]
  return driversGround({
    drivers: pools.map((it) => fromPg(it)),
    query: (sql, values) => pool.query(sql, values),
    rest: () => untilAtRest(pools),
    close: async () => {
      await Promise.all(pools.map((it) => it.end()))
      await database.drop()
    },
  })
}

async function pgClientGround(): Promise<Ground> {
  const database = await createTestDatabase()
  const clients = [1, 2, 3].map(() => new pg.Client({ connectionString: database.url }))
  await Promise.all(clients.map((client) => client.connect()))
  const [one, two, own] = clients as [pg.Client, pg.Client, pg.Client]
  return driversGround({
    drivers: [fromPgClient(one), fromPgClient(two)],
    query: (sql, values) => own.query(sql, values),
    rest: async () => null,
    close: async () => {
      await Promise.all(clients.map((client) => client.end()))
      await database.drop()
    },
  })
}

async function postgresJsGround(): Promise<Ground> {
  const database = await createTestDatabase()
  const clients = [1, 2].map(() => postgres(database.url, { max: 4, onnotice: () => {} }))
  const own = new pg.Client({ connectionString: database.url })
  await own.connect()
  return driversGround({
    drivers: clients.map((client) => fromPostgresJs(client)),
    query: (sql, values) => own.query(sql, values),
    rest: async () => null,
    close: async () => {
      await Promise.all([own.end(), ...clients.map((client) => client.end({ timeout: 1 }))])
      await database.drop()
    },
  })
}

async function pgliteGround(): Promise<Ground> {
  const db = await openPglite()
  return driversGround({
    drivers: [fromPglite(db), fromPglite(db)],
    query: (sql, values) => db.query(sql, values as unknown[]),
    rest: async () => null,
    close: () => db.close(),
  })
}
