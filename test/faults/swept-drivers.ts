import pg from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'

/** A driver beyond a proxy, with the client that is the application's. */
export interface SweptDriver {
  readonly driver: Driver
  readonly transaction: RunTransaction
  close(): Promise<void>
}

/**
 * Runs a transaction of the application's and commits it.
 *
 * @throws {TransactionFailed} By an error of the client's.
 */
export type RunTransaction = <Result>(work: Work<Result>) => Promise<Result>

type Work<Result> = (client: object) => Promise<Result>

/** A transaction of the application's that failed. */
export class TransactionFailed extends Error {
  /** Unknown once the commit was asked for. */
  readonly outcome: 'none' | 'unknown'

  constructor(cause: unknown, outcome: 'none' | 'unknown') {
    super('The transaction failed.', { cause })
    this.outcome = outcome
  }
}

/** Runs it on a pool of pg. */
export function pooledTransaction(pool: pg.Pool): RunTransaction {
  return async (work) => {
    const client = await pool.connect().catch(failedBeforeCommit)
    client.on('error', () => {})
    try {
      const result = await onClient(client, work)
      client.release()
      return result
    } catch (error) {
      client.release(true)
      throw error
    }
  }
}

async function onClient<Result>(
  client: Pick<pg.ClientBase, 'query'>,
  work: Work<Result>,
): Promise<Result> {
  await client.query('begin').catch(failedBeforeCommit)
  const result = await work(client).catch(failedBeforeCommit)
  await client.query('commit').catch((error: unknown) => {
    throw new TransactionFailed(error, 'unknown')
  })
  return result
}

function failedBeforeCommit(error: unknown): never {
  throw new TransactionFailed(error, 'none')
}

function openPool(url: string, max: number): SweptDriver {
  const pool = new pg.Pool({ connectionString: url, max })
  // The store listens for errors of the pool, and the application for those of clients that it has taken.
  pool.on('error', () => {})
  return {
    driver: fromPg(pool),
    transaction: pooledTransaction(pool),
    close: () => pool.end(),
  }
}

/** Every driver with a socket. */
export const sweptDrivers: Readonly<Record<string, (url: string) => Promise<SweptDriver>>> = {
  pg: async (url) => openPool(url, 1),
  'pg with two connections': async (url) => openPool(url, 2),
  async 'one pg client'(url) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    return {
      driver: fromPgClient(client),
      transaction: (work) => onClient(client, work),
      close: () => client.end(),
    }
  },
  async 'postgres.js'(url) {
    const sql = postgres(url, { max: 1, onnotice: () => {}, backoff: () => 0.01 })
    return {
      driver: fromPostgresJs(sql),
      async transaction<Result>(work: Work<Result>) {
        let isCommitting = false
        const begun = sql.begin(async (client) => {
          const result = await work(client)
          isCommitting = true
          return { result }
        })
        const done = await begun.catch((error: unknown) => {
          throw new TransactionFailed(error, isCommitting ? 'unknown' : 'none')
        })
        return (done as { readonly result: Result }).result
      },
      close: () => sql.end({ timeout: 0 }),
    }
  },
}
