/**
 * What every runtime has to pass, on whichever runs it: the contracts of the stores, of the drivers and
 * of the Fetch adapter, and sealed values. Ends with a line of counts.
 */
import pg from 'pg'
import { MemoryStore, PostgresStore } from 'pg-sessions'
import { fromBunSql } from 'pg-sessions/bun-sql'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import {
  adapterContract,
  type DriverHarness,
  driverContract,
  type OpenApplication,
  type OtherDriver,
  storeContract,
} from 'pg-sessions/testing'
import postgres from 'postgres'
import { fetchHandler, openFetchApplication } from '../adapters/fetch-application.ts'
import { addressOf, at } from '../support/database-address.ts'
import { elapse } from '../support/postgres-store.ts'
import { type BunSqlClass, bunSqlTests } from './bun-sql.ts'
import { createRunner } from './runner.ts'
import { sealingTests } from './sealing.ts'

/** The servers of Bun and Deno, as far as they are asked here. */
interface Runtime {
  readonly Bun?: {
    serve(options: object): { readonly port: number; stop(isForced: boolean): Promise<void> }
    readonly SQL: BunSqlClass
  }
  readonly Deno?: {
    serve(
      options: object,
      handler: (request: Request) => Promise<Response>,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> }
  }
}

const url = process.env.DATABASE_URL ?? ''
const { Bun, Deno } = globalThis as Runtime
const runner = createRunner()
const admin = new pg.Pool({ connectionString: url, max: 2 })

runner.describe('MemoryStore', () => {
  storeContract(runner, async () => {
    let ahead = 0
    const store = new MemoryStore({ now: () => Date.now() + ahead })
    return {
      store,
      elapse: async (milliseconds) => {
        ahead += milliseconds
      },
      dispose: () => store.close(),
    }
  })
})

const pool = new pg.Pool({ connectionString: url, max: 10 })
const sql = postgres(url, { max: 5, onnotice: () => {} })
const bunSql = Bun && new Bun.SQL(url, { max: 5 })
const drivers: Record<string, Driver> = {
  pg: fromPg(pool),
  'postgres.js': fromPostgresJs(sql),
  ...(bunSql && { "Bun's SQL": fromBunSql(bunSql) }),
}
for (const [name, driver] of Object.entries(drivers)) {
  runner.describe(`PostgresStore over ${name}`, () => {
    storeContract(runner, async () => {
      const store = new PostgresStore({ driver })
      await store.ready()
      await admin.query('delete from sessions.session')
      return {
        store,
        elapse: (milliseconds) => elapse(admin, milliseconds),
        dispose: () => store.close(),
      }
    })
  })
}

runner.describe('the driver for pg', () => {
  driverContract(runner, async () => {
    const own = new pg.Pool({ connectionString: url, max: 4, application_name: 'contract' })
    return harnessOf(
      fromPg(own),
      () => own.query('select 1'),
      () => own.end(),
      (other) => {
        const another = new pg.Pool({ connectionString: other, max: 4 })
        return { driver: fromPg(another), dispose: () => another.end() }
      },
    )
  })
})

runner.describe('the driver for postgres.js', () => {
  driverContract(runner, async () => {
    const connection = { application_name: 'contract' }
    const own = postgres(url, { max: 4, onnotice: () => {}, connection })
    return harnessOf(
      fromPostgresJs(own),
      () => own`select 1`,
      () => own.end({ timeout: 1 }),
      (other) => {
        const another = postgres(other, { max: 4, onnotice: () => {} })
        return { driver: fromPostgresJs(another), dispose: () => another.end({ timeout: 1 }) }
      },
    )
  })
})

if (Bun !== undefined) {
  const { SQL } = Bun
  runner.describe("the driver for Bun's SQL", () => {
    driverContract(runner, async () => {
      const own = new SQL(url, { max: 4, connection: { application_name: 'contract' } })
      return harnessOf(
        fromBunSql(own),
        () => own.unsafe('select 1'),
        () => own.close({ timeout: 1 }),
        (other) => {
          const another = new SQL(other, { max: 4, connectionTimeout: 1 })
          return { driver: fromBunSql(another), dispose: () => another.close({ timeout: 1 }) }
        },
      )
    })
  })
  runner.describe("sessions over Bun's SQL", () => bunSqlTests(runner, SQL, { url, admin }))
}

runner.describe('the Fetch adapter', () => {
  adapterContract(runner, openApplication(), { raw: false, property: false })
})

for (const [name, driver] of Object.entries(drivers)) {
  runner.describe(`the Fetch adapter on PostgresStore over ${name}`, () => {
    const openStore = (): PostgresStore => new PostgresStore({ driver })
    adapterContract(runner, openApplication(), { raw: false, property: false, openStore })
  })
}

for (const [name, driver] of Object.entries(drivers)) {
  runner.describe(`sealed values over ${name}`, () => sealingTests(runner, driver, admin))
}

function harnessOf(
  driver: Driver,
  use: () => PromiseLike<unknown>,
  dispose: () => Promise<void>,
  open: (databaseUrl: string) => OtherDriver,
): DriverHarness {
  return {
    driver,
    connections: 4,
    useClient: async () => {
      await use()
    },
    killBackends: async () => {
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'contract'`,
      )
    },
    server: addressOf(url),
    driverAt: async (host, port) => open(at(url, host, port)),
    dispose,
  }
}

/** The contract's application on the runtime's own server. */
function openApplication(): OpenApplication {
  if (Bun !== undefined) {
    return async (parts) => {
      const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: fetchHandler(parts) })
      return { origin: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) }
    }
  }
  if (Deno !== undefined) {
    return async (parts) => {
      const options = { hostname: '127.0.0.1', port: 0, onListen() {} }
      const server = Deno.serve(options, fetchHandler(parts))
      const close = async (): Promise<void> => {
        // It waits for connections that are kept alive, which no client uses any more.
        void server.shutdown()
      }
      return { origin: `http://127.0.0.1:${server.addr.port}`, close }
    }
  }
  return openFetchApplication
}

const { passed, failed } = await runner.run()
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
