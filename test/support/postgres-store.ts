import pg from 'pg'
import { PostgresStore, type PostgresStoreOptions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { StoreHarness } from 'pg-sessions/testing'
import { createTestDatabase, type TestDatabase } from './database.ts'

/** A store on a database of its own, and ways to see and move what it keeps. */
export interface PostgresStoreHarness extends StoreHarness {
  readonly database: TestDatabase
  readonly pool: pg.Pool
  readonly store: PostgresStore
}

/** Opens a `PostgresStore` on a fresh database. */
export async function openPostgresStore(
  options: Partial<PostgresStoreOptions> = {},
): Promise<PostgresStoreHarness> {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 10 })
  // Making the tables beside other work may take longer than a call of a user may.
  await new PostgresStore({ driver: fromPg(pool), ...options, deadline: '30s' }).ready()
  const store = new PostgresStore({ driver: fromPg(pool), ...options })
  return {
    database,
    pool,
    store,
    elapse: (milliseconds) => elapse(pool, milliseconds),
    dispose: async () => {
      await store.close()
      await pool.end()
      await database.drop()
    },
  }
}

/** Moves every stored time into the past; an infinite one stays so. */
export async function elapse(
  pool: Pick<pg.ClientBase, 'query'>,
  milliseconds: number,
): Promise<void> {
  const columns = [
    'created_at',
    'authenticated_at',
    'last_access_at',
    'token_issued_at',
    'expires_at',
    'absolute_expires_at',
    'purge_at',
    'previous_until',
    'elevated_at',
  ]
  const moved = columns
    .map((column) => `${column} = ${column} - $1::float8 * interval '1 ms'`)
    .join(', ')
  await pool.query(`update sessions.session set ${moved}`, [milliseconds])
}
