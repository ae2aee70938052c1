import pg from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'

export interface Application extends AsyncDisposable {
  readonly driver: Driver
}

export interface Settings {
  readonly prepare: boolean
  readonly max?: number
}

export const clients: Record<string, (url: string, settings: Settings) => Application> = {
  pg: (url, { max = 8, ...options }) => {
    const pool = new pg.Pool({ connectionString: url, max })
    return { driver: fromPg(pool, options), [Symbol.asyncDispose]: () => pool.end() }
  },
  'postgres.js': (url, { max = 8, ...options }) => {
    const sql = postgres(url, { max, onnotice: () => {}, prepare: options.prepare })
    const end = () => sql.end({ timeout: 1 })
    return { driver: fromPostgresJs(sql, options), [Symbol.asyncDispose]: end }
  },
}
