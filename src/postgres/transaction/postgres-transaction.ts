import { ConfigurationError, StoreError } from '../../errors.ts'
import type { DestroyResult, EndedSession, Ending } from '../../store/session-store.ts'
import type { InTransaction, StoreTransaction } from '../../store/store-transaction.ts'
import type { Operation } from '../operation.ts'
import type { EndingOfSeveral } from '../operations/destroy.ts'
import {
  type EndedInTransaction,
  NO_TRANSACTION,
  type TransactionGround,
} from '../operations/end-in-transaction.ts'
import type { FindLive } from '../operations/find-sessions.ts'
import { isUuid } from '../parameter-types.ts'
import { freshProof } from '../proof.ts'
import type { TableAccess } from '../table-access.ts'
import { waitFor } from '../wait-for.ts'
import type { ApplicationTransaction } from './application-transaction.ts'
import type { KnownDatabase } from './known-database.ts'

/** What a transaction's calls ask. */
export interface TransactionOperations {
  readonly destroy: Operation<Ending, EndedInTransaction<DestroyResult>>
  readonly destroyByUser: DestroySeveral
  readonly destroyByTag: DestroySeveral
  readonly mark: Operation<void, unknown>
  readonly status: Operation<string, string | null>
  readonly findLive: FindLive
  readonly listByUser: List
  readonly listByTag: List
}

type List = Operation<string, readonly { readonly id: string }[]>

type DestroySeveral = Operation<EndingOfSeveral, EndedInTransaction<readonly EndedSession[]>>

/** Milliseconds between two looks at whether a transaction has ended; the pause doubles each time. */
const FIRST_PAUSE = 20
const LONGEST_PAUSE = 5_000

/** Ends sessions in a transaction of the application, on the application's own connection. */
export class PostgresTransaction implements StoreTransaction {
  readonly #transaction: ApplicationTransaction
  readonly #tables: TableAccess
  readonly #operations: TransactionOperations
  readonly #database: KnownDatabase

  constructor(
    transaction: ApplicationTransaction,
    tables: TableAccess,
    operations: TransactionOperations,
    database: KnownDatabase,
  ) {
    this.#transaction = transaction
    this.#tables = tables
    this.#operations = operations
    this.#database = database
  }

  async destroy(ending: Ending): Promise<InTransaction<DestroyResult>> {
    const { destroy, findLive } = this.#operations
    const { id, owner } = ending
    const done = await this.#ask(destroy, ending)
    if (done.answer.status === 'gone') {
      await this.#refuseMissed(done.ground, async () => {
        const live = await this.#tables.ask(findLive.for([id]), [id])
        return live.filter(({ userId }) => owner === undefined || owner === userId)
      })
    }
    return done
  }

  async destroyByUser(
    userId: string,
    except: readonly string[],
  ): Promise<InTransaction<readonly string[]>> {
    const { destroyByUser, listByUser } = this.#operations
    const done = await this.#askSeveral(destroyByUser, listByUser, userId, except)
    return { ...done, answer: done.answer.map(({ id }) => id) }
  }

  destroyByTag(
    tag: string,
    except: readonly string[],
  ): Promise<InTransaction<readonly EndedSession[]>> {
    const { destroyByTag, listByTag } = this.#operations
    return this.#askSeveral(destroyByTag, listByTag, tag, except)
  }

  async #askSeveral(
    destroy: DestroySeveral,
    list: List,
    of: string,
    except: readonly string[],
  ): Promise<InTransaction<readonly EndedSession[]>> {
    const done = await this.#ask(destroy, { of, except: except.filter(isUuid) })
    const accounted = new Set([...except, ...done.ended])
    await this.#refuseMissed(done.ground, async () => {
      const live = await this.#tables.ask(list, of)
      return live.filter(({ id }) => !accounted.has(id))
    })
    return done
  }

  /**
   * Refuses an end that sessions outlive since the transaction does not see them. The store's own connections see them, and
   * also those that the transaction has ended.
   */
  async #refuseMissed(
    { hasOldSnapshot, isFiltered }: TransactionGround,
    findMissed: () => Promise<readonly unknown[]>,
  ): Promise<void> {
    if (!hasOldSnapshot && !isFiltered) return
    // While a transaction is open on the only connection of a database, nothing else can have been committed.
    if (this.#tables.runner.hasOnlyConnection) return
    const missed = await findMissed()
    if (missed.length > 0) throw unseen(missed.length, hasOldSnapshot)
  }

  /** Sends it once. The tables are prepared before, by the store's own connections. */
  async #ask<Call, Answer>(
    operation: Operation<Call, EndedInTransaction<Answer>>,
    call: Call,
  ): Promise<InTransaction<Answer> & EndedInTransaction<Answer>> {
    const proof = freshProof()
    const { text, values } = operation.statement(call, proof)
    const rows = await this.#tables.use(undefined, async () => {
      await this.#mark()
      return await this.#transaction.query(text, values).catch((error: unknown) => {
        throw saysNoTransaction(error) ? notOpen() : error
      })
    })
    const done = operation.read(rows, call, proof)
    const { ended, transactionId } = done
    await this.#database.refuseOtherThan(done.ground.identity)
    return {
      ...done,
      settled: async (signal) =>
        transactionId === null ? [] : await this.#settled(transactionId, ended, signal),
    }
  }

  /** For a client that does not tell whether its transaction is still open. */
  async #mark(): Promise<void> {
    if (!this.#transaction.outlivesItsEnd) return
    const proof = freshProof()
    const { mark } = this.#operations
    const { text, values } = mark.statement(undefined, proof)
    mark.read(await this.#transaction.query(text, values), undefined, proof)
  }

  async #settled(
    transactionId: string,
    ended: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { status, findLive } = this.#operations
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      await waitFor(pause, signal)
      const isLast = signal.aborted
      try {
        const state = await this.#tables.ask(status, transactionId)
        if (state === 'aborted') return []
        if (state !== 'in progress') {
          // A rollback to a savepoint may have undone the endings alone.
          const live = await this.#tables.ask(findLive.for(ended), ended)
          return ended.filter((id) => !live.some((session) => session.id === id))
        }
      } catch {
        // A database that cannot be asked now is asked again later.
      }
      if (isLast) return []
    }
  }
}

function unseen(count: number, hasOldSnapshot: boolean): StoreError {
  const sessions = count === 1 ? 'a live session' : `${count} live sessions`
  return hasOldSnapshot
    ? new StoreError(
        `The transaction does not see ${sessions} that should end, since its isolation level shows the sessions as they were when it began. Roll back and run the transaction again, or begin it with isolation level read committed.`,
        { sqlState: '40001' },
      )
    : new StoreError(
        `Row level security hides ${sessions} that should end from the role of the transaction. Roll back, and run the transaction as a role that sees the session tables.`,
      )
}

/** An ORM may wrap the error of its client. */
function saysNoTransaction(error: unknown): boolean {
  const { message, cause, meta } = Object(error)
  if (`${message} ${meta?.message}`.includes(`"${NO_TRANSACTION}"`)) return true
  return cause !== undefined && cause !== error && saysNoTransaction(cause)
}

function notOpen(): ConfigurationError {
  return new ConfigurationError(
    'The transaction that sessions.in was given is not open, or has ended, so the sessions would have ended at once. Nothing was done. Await the call before the transaction ends.',
  )
}
