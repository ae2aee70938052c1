import { Client, Pool } from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { createTestDatabase } from './database.ts'
import { openPglite } from './pglite.ts'

/** A driver on a client and an empty database of its own. */
export interface OpenDriver extends AsyncDisposable {
  readonly driver: Driver
}

/** Every driver that lends connections, for what no contract suite asks of a driver or a store. */
export const eachDriver: readonly (readonly [name: string, open: () => Promise<OpenDriver>])[] = [
  [
    'pg',
    onServer((url) => {
      const pool = new Pool({ connectionString: url })
      return { driver: fromPg(pool), close: () => pool.end() }
    }),
  ],
  [
    'one pg client',
    onServer(async (url) => {
      const client = new Client({ connectionString: url })
      await client.connect()
      return { driver: fromPgClient(client), close: () => client.end() }
    }),
  ],
  [
    'postgres.js',
    onServer((url) => {
      const sql = postgres(url, { onnotice: () => {} })
      return { driver: fromPostgresJs(sql), close: () => sql.end() }
    }),
  ],
  [
    'PGlite',
    async () => {
      const db = await openPglite()
      return { driver: fromPglite(db), [Symbol.asyncDispose]: () => db.close() }
    },
  ],
]

interface Connected {
  readonly driver: Driver
  close(): Promise<unknown>
}

function onServer(
  connect: (url: string) => Connected | Promise<Connected>,
): () => Promise<OpenDriver> {
  return async () => {
    const database = await createTestDatabase()
    const { driver, close } = await connect(database.url)
    return {
      driver,
      async [Symbol.asyncDispose]() {
        await close()
        await database.drop()
      },
    }
  }
}
