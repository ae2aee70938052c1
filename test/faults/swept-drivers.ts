import pg from 'pg'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import type { SweptDriver } from './message-sweep.ts'

/** Every driver with a socket. */
export const sweptDrivers: Readonly<Record<string, (url: string) => Promise<SweptDriver>>> = {
  async pg(url) {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    return { driver: fromPg(pool), close: () => pool.end() }
  },
  async 'pg with two connections'(url) {
    const pool = new pg.Pool({ connectionString: url, max: 2 })
    return { driver: fromPg(pool), close: () => pool.end() }
  },
  async 'one pg client'(url) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    return { driver: fromPgClient(client), close: () => client.end() }
  },
  async 'postgres.js'(url) {
    const sql = postgres(url, { max: 1, onnotice: () => {}, backoff: () => 0.01 })
    return { driver: fromPostgresJs(sql), close: () => sql.end({ timeout: 0 }) }
  },
}
