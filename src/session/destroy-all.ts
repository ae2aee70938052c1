import { UnsupportedError } from '../errors.ts'
import { readBatchSize } from '../options/batch-size.ts'
import type { EndedPage, EndedSession, EndingPage, SessionStore } from '../store/session-store.ts'
import { partlyDone } from './partly-done.ts'

/** How to end all sessions. */
export interface DestroyAllOptions {
  /** Sessions that one statement ends at most. Defaults to 250. */
  readonly batchSize?: number
  /** Called after each batch with the number of live sessions that have ended so far. */
  readonly onProgress?: (ended: number) => void
  /** Stops after the batch in flight. */
  readonly signal?: AbortSignal
}

/**
 * Ends all sessions that began before the call, batch by batch. Returns how many were live.
 *
 * @param onEnded - Called with each live session that has ended.
 * @throws {ConfigurationError} The batch size is not a whole number from 1 to 100 000.
 * @throws {UnsupportedError} The store cannot end all sessions.
 */
export async function destroyAll(
  store: Pick<SessionStore, 'name' | 'destroyPage'>,
  { batchSize = 250, onProgress, signal }: DestroyAllOptions = {},
  onEnded: (session: EndedSession) => void = () => undefined,
): Promise<number> {
  readBatchSize(batchSize)
  if (store.destroyPage === undefined) {
    throw new UnsupportedError(
      `The store '${store.name}' cannot end all sessions at once. Change its keys, or delete the rows of its tables.`,
    )
  }
  let page: EndingPage | null = { after: null, before: null, limit: batchSize }
  let count = 0
  while (page !== null && !signal?.aborted) {
    const answer: EndedPage = await store.destroyPage(page).catch((error: unknown) => {
      throw count === 0 ? error : partlyDone(error, afterSome(count))
    })
    const { ended, next } = answer
    for (const session of ended) onEnded(session)
    count += ended.length
    if (ended.length > 0) onProgress?.(count)
    page = next && { ...next, limit: batchSize }
  }
  return count
}

function afterSome(count: number): string {
  return `The store stopped answering before all sessions had ended. Ended so far: ${count}. Call it again to end the others.`
}
