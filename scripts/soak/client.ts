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
  const pool = new pg.Pool({ connectionString: url, max: 6, connectionTimeoutMillis: 2000 })
  pool.on('error', () => {})
  return {
    driver: fromPg(pool),
    async transaction(work, commits) {
      let isCommitting = false
      const client = await pool.connect().catch((error: unknown) => {
        throw new TransactionFailed(error, false)
      })
      client.on('error', () => {})
      try {
        await client.query('begin')
        const result = await work(client)
        isCommitting = commits
        await client.query(commits ? 'commit' : 'rollback')
        client.release()
        return result
      } catch (error) {
        client.release(true)
        throw new TransactionFailed(error, isCommitting)
      }
    },
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

/** Thrown to roll back. */
class RolledBack extends Error {}

function openPostgresJs(url: string): Client {
  const sql = postgres(url, { max: 6, onnotice: () => {} })
  return {
    driver: fromPostgresJs(sql),
    async transaction<Result>(work: Work<Result>, commits: boolean) {
      let done: { readonly result: Result } | null = null
      try {
        await sql.begin(async (transaction) => {
          done = { result: await work(transaction) }
          if (!commits) throw new RolledBack()
        })
      } catch (error) {
        if (!(error instanceof RolledBack)) throw new TransactionFailed(error, done !== null)
      }
      return (done as unknown as { readonly result: Result }).result
    },
    close: () => sql.end({ timeout: 2 }).then(() => ''),
  }
}
