import { ConfigurationError, UnsupportedError } from '../errors.ts'
import { readBatchSize } from '../options/batch-size.ts'
import { Deadline } from '../store/deadline.ts'
import type {
  SessionStore,
  StoredValue,
  ValuePlace,
  ValueReplacement,
} from '../store/session-store.ts'
import type { Sealing } from './sealing.ts'

/** How to seal stored values with the current key. */
export interface ResealOptions {
  /** Values that one statement reads and replaces at most. Defaults to 250. */
  readonly batchSize?: number
  /** Called after each batch. */
  readonly onProgress?: (progress: ResealProgress) => void
  /** Stops after the batch in flight. */
  readonly signal?: AbortSignal
}

/** How far it has come. */
export interface ResealProgress {
  /** Sessions looked at that hold values. */
  readonly sessions: number
  /** Values looked at. */
  readonly seen: number
  /** Of these, sealed with the current key by this call. */
  readonly resealed: number
  /** Of these, changed by a request while they were sealed; that request's process has sealed them. */
  readonly changed: number
  /** Of these, left as they are, since they do not open. Each is an event `unsealFailed`. */
  readonly failed: number
}

/** What it has come to. */
export interface ResealReport extends ResealProgress {
  /** False if `signal` stopped it. Call it again to seal the rest. */
  readonly isComplete: boolean
}

/** Bytes of values that one statement carries. */
const PAGE_BYTES = 4_194_304

/**
 * Seals all stored values with the current key that are not, batch by batch.
 *
 * @throws {ConfigurationError} The batch size is not a whole number from 1 to 100 000, or values are not sealed yet.
 * @throws {UnsupportedError} The store cannot read or replace the values of all sessions.
 * @throws {StoreUnavailableError} The store or the sealer did not answer. What has been sealed stays so.
 */
export async function reseal(
  store: SessionStore,
  sealing: Sealing,
  { batchSize = 250, onProgress, signal }: ResealOptions = {},
): Promise<ResealReport> {
  readBatchSize(batchSize)
  if (!sealing.isSealing) {
    throw new ConfigurationError(
      'Values are not sealed before seal.sealFrom, which lies ahead. Call reseal after it.',
    )
  }
  if (store.readValues === undefined || store.replaceValues === undefined) {
    throw new UnsupportedError(`The store '${store.name}' cannot go through all of its values.`)
  }
  const progress = { sessions: 0, seen: 0, resealed: 0, changed: 0, failed: 0 }
  let after: ValuePlace | null = null
  while (!signal?.aborted) {
    // For each page, so that a sealer that never answers does not hold it for ever.
    const deadline = new Deadline(store.deadline ?? Number.POSITIVE_INFINITY)
    const page: readonly StoredValue[] = await store.readValues({
      after,
      limit: batchSize,
      bytes: PAGE_BYTES,
    })
    const last = page.at(-1)
    if (last === undefined) return { ...progress, isComplete: true }
    const outdated: StoredValue[] = []
    for (const value of page)
      if (!(await sealing.isCurrent(value.value, deadline))) outdated.push(value)
    const sealed = await Promise.all(outdated.map((value) => sealedAgain(sealing, value, deadline)))
    const replacements = sealed.filter((replacement) => replacement !== null)
    const replaced = replacements.length === 0 ? 0 : await store.replaceValues(replacements)
    const ids = new Set(page.map(({ sessionId }) => sessionId))
    progress.sessions += ids.size - (after !== null && ids.has(after.sessionId) ? 1 : 0)
    progress.seen += page.length
    progress.resealed += replaced
    progress.changed += replacements.length - replaced
    progress.failed += outdated.length - replacements.length
    onProgress?.({ ...progress })
    after = last
  }
  return { ...progress, isComplete: false }
}

/** Null for a value that does not open. To seal it again would make it look like one of ours. */
async function sealedAgain(
  sealing: Sealing,
  { sessionId, key, value: expected }: StoredValue,
  deadline: Deadline,
): Promise<ValueReplacement | null> {
  const value = await sealing.open(sessionId, key, expected, deadline)
  if (value === null) return null
  return { sessionId, key, expected, value: await sealing.seal(sessionId, key, value, deadline) }
}
