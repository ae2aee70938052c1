import { readBatchSize } from '../options/batch-size.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { Logger } from './logger.ts'
import type { SessionEventHub } from './session-events.ts'

/** How a purge goes about its work. */
export interface PurgeOptions {
  /** Sessions that one statement deletes at most. Defaults to 250. */
  readonly batchSize?: number
  /** Told after each batch how many sessions have gone so far. */
  readonly onProgress?: (removed: number) => void
  /** Stops the purge after the batch under way. */
  readonly signal?: AbortSignal
}

/**
 * Deletes dead sessions, batch by batch, until a batch finds no more. Gives how many went.
 *
 * @throws {ConfigurationError} The batch size is not a whole number from 1 to 100 000.
 */
export async function purgeAll(
  store: SessionStore,
  events: SessionEventHub,
  options: PurgeOptions = {},
): Promise<number> {
  const batchSize = readBatchSize(options.batchSize ?? 250)
  const startedAt = performance.now()
  let removed = 0
  for (;;) {
    const batch = await store.purge(batchSize)
    removed += batch
    if (batch > 0) options.onProgress?.(removed)
    if (batch < batchSize || options.signal?.aborted) break
  }
  if (removed > 0) {
    events.emit('purged', { removed, milliseconds: Math.round(performance.now() - startedAt) })
  }
  return removed
}

/** A worker that purges again and again. */
export interface Purger extends AsyncDisposable {
  /** Stops it, and resolves once the batch under way is done. */
  stop(): Promise<void>
}

/** Node's timers fire at once when they are asked to wait longer, about 25 days. */
const LONGEST_PAUSE = 2 ** 31 - 1

/**
 * Purges at once and then again and again. A failure is logged and waits for the next turn. The pauses
 * vary by half, so that processes started together do not purge together; they do not keep the process
 * alive.
 */
export function startPurger(
  purge: (signal: AbortSignal) => Promise<unknown>,
  interval: number,
  log: Logger,
): Purger {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let run = Promise.resolve()

  const turn = async (): Promise<void> => {
    try {
      await purge(stopping.signal)
    } catch (error) {
      log.error({ err: error }, 'a purge failed; the next one is tried as planned')
    }
    if (stopping.signal.aborted) return
    timer = setTimeout(start, Math.min(interval * (0.5 + Math.random()), LONGEST_PAUSE))
    timer.unref()
  }
  const start = (): void => {
    run = turn()
  }
  const stop = async (): Promise<void> => {
    stopping.abort()
    clearTimeout(timer)
    await run
  }

  start()
  return { stop, [Symbol.asyncDispose]: stop }
}
