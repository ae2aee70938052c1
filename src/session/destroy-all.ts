import { ConfigurationError, UnsupportedError } from '../errors.ts'
import type { EndedSession, EndingPage, SessionStore } from '../store/session-store.ts'

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
 * @throws {ConfigurationError} The batch size is not a whole number of at least 1.
 * @throws {UnsupportedError} The store cannot end all sessions.
 */
export async function destroyAll(
  store: Pick<SessionStore, 'name' | 'destroyPage'>,
  { batchSize = 250, onProgress, signal }: DestroyAllOptions = {},
  onEnded: (session: EndedSession) => void = () => undefined,
): Promise<number> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ConfigurationError(
      `batchSize must be a whole number of at least 1; it is ${String(batchSize)}.`,
    )
  }
  if (store.destroyPage === undefined) {
    throw new UnsupportedError(
      `The store '${store.name}' cannot end all sessions at once. Change its keys, or delete the rows of its tables.`,
    )
  }
  let page: EndingPage | null = { after: null, before: null, limit: batchSize }
  let count = 0
  while (page !== null && !signal?.aborted) {
    const { ended, next } = await store.destroyPage(page)
    for (const session of ended) onEnded(session)
    count += ended.length
    if (ended.length > 0) onProgress?.(count)
    page = next && { ...next, limit: batchSize }
  }
  return count
}
