import type { Pool } from 'pg'
import { fromPg } from '../drivers/pg.ts'
import { ConfigurationError } from '../errors.ts'
import { isDistributed } from '../postgres/distribution.ts'
import type { Driver } from '../postgres/driver.ts'
import { PostgresStore } from '../postgres/postgres-store.ts'
import { connectionFailure } from './connection-failure.ts'
import type { DatabaseAddress } from './database-address.ts'
import { findPackage } from './find-package.ts'
import type { Input } from './input.ts'

/** What the command line needs of the package `pg`. */
interface Pg {
  readonly Pool: typeof Pool
}

/**
 * Connects to the database that the user named, for as long as `use` runs.
 *
 * Statements have no names: a command runs each once, and a transaction-mode pooler may not track them.
 *
 * @throws {ConfigurationError} If no database is named, or the package `pg` is not installed.
 * @throws {SessionError} If no connection comes about; the message says why.
 */
export async function withDatabase<Result>(
  input: Input,
  use: (driver: Driver, pool: Pool) => Promise<Result>,
): Promise<Result> {
  const address = input.database
  const pool = await connect(findPg(), address, input.connectTimeout)
  try {
    return await use(fromPg(pool, { prepare: false }), pool)
  } finally {
    await end(pool)
  }
}

/** A pool that has connected once, so that a failure to connect is told from one of a statement. */
async function connect(pg: Pg, address: DatabaseAddress, timeout: number): Promise<Pool> {
  const { connection, isTlsOptional } = address
  const pool = poolOf(pg, connection, timeout)
  try {
    const client = await pool.connect()
    client.release()
    return pool
  } catch (error) {
    await end(pool)
    const isWithoutTls = error instanceof Error && /does not support SSL/.test(error.message)
    if (!isTlsOptional || !isWithoutTls) throw connectionFailure(error, address, timeout)
  }
  const withoutTls = { ...connection, ssl: false as const }
  return connect(pg, { ...address, connection: withoutTls, isTlsOptional: false }, timeout)
}

function poolOf({ Pool }: Pg, connection: DatabaseAddress['connection'], timeout: number): Pool {
  const pool = new Pool({
    ...connection,
    connectionTimeoutMillis: timeout,
    application_name: process.env.PGAPPNAME || 'pg-sessions',
    max: 2,
  })
  // An idle connection that dies ends no command; the next statement says so.
  pool.on('error', () => undefined)
  return pool
}

/** Gives up after a second: a server that does not answer would never let it end. */
async function end(pool: Pool): Promise<void> {
  await Promise.race([pool.end(), new Promise((resolve) => setTimeout(resolve, 1000).unref())])
}

function findPg(): Pg {
  const pg = findPackage('pg')
  if (pg !== undefined) return pg as Pg
  throw new ConfigurationError(
    'The package pg, with which the command line talks to PostgreSQL, is not installed here. Run `npm install --save-dev pg` in your project and call pg-sessions from there.',
  )
}

/** Lends the store for as long as `use` runs. The tables must be there: only `migrate` makes them. */
export async function withStore<Result>(
  input: Input,
  use: (store: PostgresStore, driver: Driver) => Promise<Result>,
): Promise<Result> {
  return withDatabase(input, async (driver) => {
    const { names, timeout } = input
    const store = new PostgresStore({
      driver,
      ...input.tables,
      migrate: 'check',
      distributed: await isDistributed(driver, names, { timeout }),
      deadline: `${input.timeout}ms`,
    })
    try {
      await store.ready()
      return await use(store, driver)
    } finally {
      await store.close()
    }
  })
}
