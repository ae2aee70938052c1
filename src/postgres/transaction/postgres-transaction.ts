import type { DestroyResult, EndedSession, Ending, LiveSession } from '../../store/session-store.ts'
import type { InTransaction, StoreTransaction } from '../../store/store-transaction.ts'
import type { Operation } from '../operation.ts'
import type { EndingOfSeveral } from '../operations/destroy.ts'
import type { EndedInTransaction } from '../operations/end-in-transaction.ts'
import { isUuid } from '../parameter-types.ts'
import { freshProof } from '../proof.ts'
import type { TableAccess } from '../table-access.ts'
import { waitFor } from '../wait-for.ts'
import type { ApplicationTransaction } from './application-transaction.ts'

/** What a transaction's calls ask. */
export interface TransactionOperations {
  readonly destroy: Operation<Ending, EndedInTransaction<DestroyResult>>
  readonly destroyByUser: DestroySeveral
  readonly destroyByTag: DestroySeveral
  readonly status: Operation<string, string | null>
  readonly findLive: Operation<readonly string[], readonly LiveSession[]>
}

type DestroySeveral = Operation<EndingOfSeveral, EndedInTransaction<readonly EndedSession[]>>

/** Milliseconds between two looks at whether a transaction has ended; the pause doubles each time. */
const FIRST_PAUSE = 20
const LONGEST_PAUSE = 5_000

/** Ends sessions in a transaction of the application, on the application's own connection. */
export class PostgresTransaction implements StoreTransaction {
  readonly #transaction: ApplicationTransaction
  readonly #tables: TableAccess
  readonly #operations: TransactionOperations

  constructor(
    transaction: ApplicationTransaction,
    tables: TableAccess,
    operations: TransactionOperations,
  ) {
    this.#transaction = transaction
    this.#tables = tables
    this.#operations = operations
  }

  destroy(ending: Ending): Promise<InTransaction<DestroyResult>> {
    return this.#ask(this.#operations.destroy, ending)
  }

  async destroyByUser(
    userId: string,
    except: readonly string[],
  ): Promise<InTransaction<readonly string[]>> {
    const call = { of: userId, except: except.filter(isUuid) }
    const done = await this.#ask(this.#operations.destroyByUser, call)
    return { ...done, answer: done.answer.map(({ id }) => id) }
  }

  destroyByTag(
    tag: string,
    except: readonly string[],
  ): Promise<InTransaction<readonly EndedSession[]>> {
    return this.#ask(this.#operations.destroyByTag, { of: tag, except: except.filter(isUuid) })
  }

  /** Sends it once. The tables are prepared before, by the store's own connections. */
  async #ask<Call, Answer>(
    operation: Operation<Call, EndedInTransaction<Answer>>,
    call: Call,
  ): Promise<InTransaction<Answer>> {
    const proof = freshProof()
    const { text, values } = operation.statement(call, proof)
    const rows = await this.#tables.use(undefined, () => this.#transaction.query(text, values))
    const { answer, ended, transactionId } = operation.read(rows, call, proof)
    return {
      answer,
      settled: async (signal) =>
        transactionId === null ? [] : await this.#settled(transactionId, ended, signal),
    }
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
          const live = await this.#tables.ask(findLive, ended)
          return ended.filter((id) => !live.some((session) => session.id === id))
        }
      } catch {
        // A database that cannot be asked now is asked again later.
      }
      if (isLast) return []
    }
  }
}
