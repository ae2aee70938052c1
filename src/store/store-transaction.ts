import type { DestroyResult, Ending } from './session-change.ts'
import type { EndedSession } from './session-erasure.ts'

/** What a call in the application's transaction has done, if the transaction commits. */
export interface InTransaction<Answer> {
  readonly answer: Answer
  /**
   * Waits until the transaction has ended, on another connection.
   *
   * @param signal - Ends the wait: it looks once more, and takes an open transaction for one that fails.
   * @returns The ids of those of the call's ended sessions that are gone for good; none after a rollback.
   */
  settled(signal: AbortSignal): Promise<readonly string[]>
}

/**
 * Ends sessions within a transaction that the application has begun and ends itself.
 *
 * Each call is one statement on the application's connection. It is never sent again, and no deadline cuts it
 * off: its error is the client's own, and the application rolls back. A watcher of these sessions is told when the
 * transaction commits, and never if it rolls back.
 */
export interface StoreTransaction {
  destroy(ending: Ending): Promise<InTransaction<DestroyResult>>
  /** Ends all sessions of a user but those named, and tells which were live. */
  destroyByUser(
    userId: string,
    except: readonly string[],
  ): Promise<InTransaction<readonly string[]>>
  /** Ends all sessions with a tag but those named, and tells which were live. */
  destroyByTag(
    tag: string,
    except: readonly string[],
  ): Promise<InTransaction<readonly EndedSession[]>>
}
