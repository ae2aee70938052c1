import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fromPg } from '../drivers/pg.ts'
import { ConfigurationError } from '../errors.ts'
import type { Driver } from '../postgres/driver.ts'
import { PostgresStore } from '../postgres/postgres-store.ts'
import type { Input } from './input.ts'

/** What the command line needs of the package `pg`. */
interface Pg {
  readonly Pool: typeof import('pg').Pool
}

/**
 * Connects to the database that the user named, for as long as `use` runs.
 *
 * @throws {ConfigurationError} No database is named, or the package `pg` is not installed.
 */
export async function withDatabase<Result>(
  input: Input,
  use: (driver: Driver) => Promise<Result>,
): Promise<Result> {
  const connectionString = input.databaseUrl
  const { Pool } = findPg()
  const pool = new Pool({
    connectionString,
    connectionTimeoutMillis: input.timeout,
    application_name: 'pg-sessions',
    max: 2,
  })
  try {
    return await use(fromPg(pool))
  } finally {
    // Not awaited to its end: a server that answers no more would never let it come.
    await Promise.race([pool.end(), new Promise((resolve) => setTimeout(resolve, 1000).unref())])
  }
}

/** The project's own `pg` first: under a strict package manager it is not visible from here. */
function findPg(): Pg {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return createRequire(from)('pg') as Pg
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  throw new ConfigurationError(
    'The package pg, with which the command line talks to PostgreSQL, is not installed here. Run `npm install --save-dev pg` in your project and call pg-sessions from there.',
  )
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND'
}

/** Lends the store for as long as `use` runs. The tables must be there: only `migrate` makes them. */
export async function withStore<Result>(
  input: Input,
  use: (store: PostgresStore) => Promise<Result>,
): Promise<Result> {
  return withDatabase(input, async (driver) => {
    const store = new PostgresStore({
      driver,
      ...input.tables,
      migrate: 'check',
      deadline: `${input.timeout}ms`,
    })
    try {
      await store.ready()
      return await use(store)
    } finally {
      await store.close()
    }
  })
}
