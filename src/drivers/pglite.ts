import { adviceForClient, whatWasGiven } from '../options/known-clients.ts'
import type { Driver, QueryOptions, Row, Statement } from '../postgres/driver.ts'
import { processWide } from '../process-wide.ts'
import { explainWith } from './failures/connection-failure.ts'
import type { PgliteLike, PgliteTransactionLike } from './pglite/client.ts'
import { openOnPglite, queryOptions, refuseOpenTransaction } from './pglite/open-transaction.ts'
import { countdown, within } from './waiting/deadline.ts'
import { Turns } from './waiting/turns.ts'
import { ConnectionSpoiltError, checkedRows } from './waiting/wrong-answer.ts'

export type { PgliteLike, PgliteQueryOptions, PgliteTransactionLike } from './pglite/client.ts'

/** What all drivers of one database share. */
interface SharedDatabase {
  readonly turns: Turns
  /** Why no statement is sent any more. */
  death: Error | undefined
}

const databases = processWide('pglite', () => new WeakMap<PgliteLike, SharedDatabase>())

/**
 * Makes a driver of a PGlite database, for tests and for trying things out.
 *
 * PGlite has one connection and runs inside the process: statements take turns, a `withConnection`
 * shuts out all others, also the application's own, and a statement that has begun cannot be
 * interrupted, so a timeout only ends the wait for a turn. While a transaction is open that the application has begun by
 * `exec('begin')`, calls are refused, since its rollback would undo them. The database is never closed. Your
 * parsers and serializers do not reach what sessions hold.
 *
 * @throws {TypeError} It was given something else than a database.
 * @example
 * ```ts
 * import { PGlite } from '@electric-sql/pglite'
 * import { createSessions } from 'pg-sessions'
 * import { fromPglite } from 'pg-sessions/pglite'
 *
 * const sessions = createSessions({ database: fromPglite(await PGlite.create()) })
 * ```
 */
export function fromPglite(db: PgliteLike): Driver {
  if (typeof Object(db).transaction !== 'function') {
    const advice =
      adviceForClient(db) ?? `${whatWasGiven(db)} Write fromPglite(await PGlite.create()).`
    throw new TypeError(`fromPglite needs an open database of PGlite. ${advice}`)
  }
  const shared = databases.get(db) ?? { turns: new Turns(), death: undefined }
  databases.set(db, shared)
  const { turns } = shared
  return {
    name: 'pglite',
    hasOnlyConnection: true,
    explain,
    async query(statement, bounds) {
      const left = countdown(bounds.timeout)
      const endTurn = await turns.take(bounds.timeout)
      let isLate = false
      const answer = refuseOpenTransaction(db)
        .then(() => (isLate ? [] : ask({ db, on: db, shared }, statement, bounds)))
        .finally(endTurn)
      const giveUp = (): void => {
        isLate = true
      }
      return await within(left(), 'read', answer, { giveUp })
    },
    async withConnection(use, { timeout = Number.POSITIVE_INFINITY } = {}) {
      const left = countdown(timeout)
      const endTurn = await turns.take(timeout)
      let isLate = false
      let begin = (): void => {}
      const begun = new Promise<void>((resolve) => {
        begin = resolve
      })
      try {
        await within(left(), 'connect', refuseOpenTransaction(db))
      } catch (error) {
        endTurn()
        throw error
      }
      // Only a transaction shuts out the application's own statements. It is ended at once, since
      // the caller is promised a bare connection; PGlite rolls back what `use` leaves open.
      const lent = db
        .transaction(async (transaction) => {
          begin()
          if (isLate) return undefined
          await transaction.exec('commit')
          return await use({
            query: (statement, bounds) =>
              within(
                bounds.timeout,
                'read',
                ask({ db: null, on: transaction, shared }, statement, bounds),
              ),
            run: async (sql) => {
              await transaction.exec(sql)
            },
          })
        })
        .finally(endTurn)
      const giveUp = (): void => {
        isLate = true
      }
      await within(left(), 'connect', Promise.race([begun, lent]), { giveUp })
      return (await lent) as Awaited<ReturnType<typeof use>>
    },
    async listen(channel, onMessage) {
      const endTurn = await turns.take()
      const unlisten = await refuseOpenTransaction(db)
        .then(() => db.listen(channel, onMessage))
        .finally(endTurn)
      let isOver = false
      return {
        async stop() {
          if (isOver) return
          isOver = true
          // A database that has been closed has nothing to end.
          await unlisten().catch(() => {})
        },
      }
    },
  }
}

interface Asked {
  /** Null within a loan, which shuts out the application's transactions. */
  readonly db: PgliteLike | null
  readonly on: PgliteTransactionLike
  readonly shared: SharedDatabase
}

async function ask(
  { db, on, shared }: Asked,
  { text, values }: Statement,
  { check }: QueryOptions,
): Promise<readonly Row[]> {
  if (shared.death) throw shared.death
  const { options, wasInTransaction } = queryOptions(db)
  const { rows } = await on.query(text, [...values], options)
  if (wasInTransaction()) throw openOnPglite('ECONNABORTED')
  return checkedRows(rows, check, () => {
    shared.death ??= new ConnectionSpoiltError('Open the database again.')
  })
}

const CLOSED: ReadonlySet<string> = new Set(['PGlite is closing', 'PGlite is closed'])

const explain = explainWith({ neverSent: new Set(), cutOff: new Set(), closed: CLOSED }, () => ({
  server: 'PGlite, inside this process',
  startupOption: '',
}))
