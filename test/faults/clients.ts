import pg from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'

export interface ClientOptions {
  /** How many connections it may have. Default: 10. A single client has one. */
  readonly max?: number
  /** Milliseconds until it gives up connecting. Default: the client's own. */
  readonly connectTimeout?: number
  readonly applicationName?: string
  /** The server's own bound for a lock, in milliseconds. */
  readonly lockTimeout?: number
}

/** A driver on a client of its own. */
export interface OpenClient extends AsyncDisposable {
  readonly driver: Driver
  /** How many connections the driver may have. */
  readonly max: number
  /** The pool of `pg`, for what only it can tell. */
  readonly pool?: pg.Pool
}

export interface DatabaseClient {
  /** Whether it makes new connections for those that died. */
  readonly reconnects: boolean
  open(url: string, options?: ClientOptions): Promise<OpenClient>
}

/** A connection that no answer comes from would keep a failed test from ending. */
async function soon(ending: Promise<unknown>): Promise<void> {
  await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, 2000).unref())])
}

function pgSettings(url: string, options: ClientOptions): pg.ClientConfig {
  const { connectTimeout, applicationName, lockTimeout } = options
  return {
    connectionString: url,
    ...(connectTimeout !== undefined && { connectionTimeoutMillis: connectTimeout }),
    ...(applicationName !== undefined && { application_name: applicationName }),
    ...(lockTimeout !== undefined && { lock_timeout: lockTimeout }),
  }
}

export type ClientName = 'pg' | 'postgres.js' | 'one client of pg'

const known: Record<ClientName, DatabaseClient> = {
  pg: {
    reconnects: true,
    open: async (url, options = {}) => {
      const max = options.max ?? 10
      const pool = new pg.Pool({ ...pgSettings(url, options), max })
      const driver = fromPg(pool)
      return { driver, max, pool, [Symbol.asyncDispose]: () => soon(pool.end()) }
    },
  },
  'postgres.js': {
    reconnects: true,
    open: async (url, options = {}) => {
      const max = options.max ?? 10
      const { connectTimeout, applicationName, lockTimeout } = options
      const sql = postgres(url, {
        max,
        onnotice: () => {},
        ...(connectTimeout !== undefined && { connect_timeout: connectTimeout / 1000 }),
        connection: {
          ...(applicationName !== undefined && { application_name: applicationName }),
          ...(lockTimeout !== undefined && { lock_timeout: lockTimeout }),
        },
      })
      const driver = fromPostgresJs(sql)
      return { driver, max, [Symbol.asyncDispose]: () => soon(sql.end({ timeout: 1 })) }
    },
  },
  'one client of pg': {
    reconnects: false,
    open: async (url, options = {}) => {
      const client = new pg.Client(pgSettings(url, options))
      await client.connect()
      const driver = fromPgClient(client)
      return { driver, max: 1, [Symbol.asyncDispose]: () => soon(client.end()) }
    },
  },
}

/** `npm run test:clients` runs every test on every client; `npm test` a sample. */
export const isComplete: boolean = process.env['TEST_CLIENTS'] === 'all'

/**
 * The clients that a file of tests runs on, for `describe.each`.
 *
 * @param sample - Those that `npm test` takes. Default: `pg`.
 * @param applies - Which of all clients the tests mean anything to. Default: those that reconnect.
 */
export function clients(
  sample: readonly ClientName[] = ['pg'],
  applies: (client: DatabaseClient) => boolean = ({ reconnects }) => reconnects,
): [ClientName, DatabaseClient][] {
  const entries = Object.entries(known) as [ClientName, DatabaseClient][]
  return entries.filter(
    ([name, client]) => applies(client) && (isComplete || sample.includes(name)),
  )
}

/** For tests that ask nothing of a connection that died. */
export const everyClient = (): boolean => true
