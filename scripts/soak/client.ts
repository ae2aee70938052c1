import pg from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'

/** The application's own database client, which its sessions use, too. */
export interface Client {
  readonly driver: Driver
  /**
   * Runs a transaction of the application's, and commits it or rolls it back.
   *
   * @throws {TransactionFailed} It failed.
   */
  transaction<Result>(work: Work<Result>, commits: boolean): Promise<Result>
  /** Closes the client, and tells what it still had in use. */
  close(): Promise<string>
}

type Work<Result> = (transaction: object) => Promise<Result>

/** A transaction of the application's that failed, by an error of its client's. */
export class TransactionFailed extends Error {
  /** Whether it may have been committed. */
  readonly isInDoubt: boolean

  constructor(error: unknown, isInDoubt: boolean) {
    super(String(error), { cause: error })
    this.isInDoubt = isInDoubt
  }
}

export function openClient(name: string, url: string): Client {
  return name === 'postgres-js' ? openPostgresJs(url) : openPg(url)
}

function openPg(url: string): Client {
  const pool = openPool(url, 6)
  return {
    driver: fromPg(pool),
    transaction: (work, commits) => runTransaction(pool, work, commits),
    async close() {
      const { totalCount, idleCount, waitingCount } = pool
      await pool.end()
      const isAtRest = totalCount === idleCount && waitingCount === 0
      return isAtRest
        ? ''
        : `${totalCount - idleCount} clients in use, ${waitingCount} calls waiting`
    },
  }
}

/** Its transactions are on pg: postgres.js 3.4.9 ends the process if a connection is lost within `sql.begin`. */
function openPostgresJs(url: string): Client {
  const sql = postgres(url, { max: 6, onnotice: () => {} })
  const pool = openPool(url, 2)
  return {
    driver: fromPostgresJs(sql),
    transaction: (work, commits) => runTransaction(pool, work, commits),
    async close() {
      await Promise.all([sql.end({ timeout: 2 }), pool.end()])
      return ''
    },
  }
}

function openPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 2000 })
  pool.on('error', () => {})
  return pool
}

async function runTransaction<Result>(
  pool: pg.Pool,
  work: Work<Result>,
  commits: boolean,
): Promise<Result> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new TransactionFailed(error, false)
  })
  const ignore = (): void => {}
  client.on('error', ignore)
  let isCommitting = false
  try {
    await client.query('begin')
    const result = await work(client)
    isCommitting = commits
    await client.query(commits ? 'commit' : 'rollback')
    client.off('error', ignore)
    client.release()
    return result
  } catch (error) {
    client.release(true)
    throw new TransactionFailed(error, isCommitting)
  }
}
