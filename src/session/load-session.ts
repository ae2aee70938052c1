import { SessionGoneError, UndecodableError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { LoadOptions, LoadResult, SessionRecord } from '../store/session-store.ts'
import { isActorLive } from './actor-liveness.ts'
import { UnfitValue } from './data-schemas.ts'
import { EntryValue } from './entry-value.ts'
import type { SessionContext } from './session-context.ts'
import { SessionSnapshot } from './session-snapshot.ts'
import { loadShown, type ShownToken } from './shown-tokens.ts'

/** What a store has for the tokens of a request. */
export interface LoadedSession {
  /** The token that counts, in plain text. */
  readonly token: string
  /** Null if the token opens no live session. */
  readonly snapshot: SessionSnapshot | null
  /** A live session whose user is gone. */
  readonly orphan?: SessionSnapshot | null
}

/**
 * Asks the store for the session of the tokens that a client showed, and reports what becomes of a token that
 * opens none. Null if no token counts.
 */
export async function loadSession(
  context: SessionContext,
  tokens: readonly ShownToken[],
  options: LoadOptions & { readonly deadline: Deadline },
): Promise<LoadedSession | null> {
  const { store, events } = context
  const [first] = tokens
  if (first === undefined) return null
  const loaded =
    tokens.length === 1
      ? { shown: first, result: await store.load(first.proof, options) }
      : await loadShown(store, tokens, options)
  if (loaded === 'ambiguous') {
    events.emit('tokenRefused', { reason: 'ambiguous' })
    return null
  }
  const { shown, result } = loaded
  if (result.status === 'live' && !(await isActorLive(store, result.record, options))) {
    events.emit('expired', { sessionId: result.record.id, userId: result.record.userId })
    return { token: shown.token, snapshot: null }
  }
  if (result.status === 'live') {
    const snapshot = takeSnapshot(context, shown, result)
    const { id: sessionId, userId, user } = result.record
    if (user !== null || userId === null) return { token: shown.token, snapshot }
    events.emit('userGone', { sessionId, userId })
    return { token: shown.token, snapshot: null, orphan: snapshot }
  }
  if (result.status === 'unknown') {
    const { id: sessionId } = shown.proof
    const { problem } = result
    if (problem === undefined) events.emit('tokenUnknown', { sessionId })
    else events.emit('sessionUnreadable', { sessionId, problem })
  } else if (result.status === 'reused') {
    await endReused(context, result.id, result.userId, options.deadline)
  } else {
    events.emit('expired', { sessionId: result.id, userId: result.userId })
  }
  return { token: shown.token, snapshot: null }
}

function takeSnapshot(
  context: SessionContext,
  { proof }: ShownToken,
  { record, undecodable = [] }: Extract<LoadResult, { status: 'live' }>,
): SessionSnapshot {
  const { secretHashes, isOutdated } = proof
  const snapshot = new SessionSnapshot(context.policy, record, secretHashes, record.previousToken)
  snapshot.user = record.user
  if (isOutdated) snapshot.outdate()
  for (const key of undecodable) reportUndecodable(context, record.id, key)
  keepEntries(context, snapshot, record)
  return snapshot
}

function keepEntries(
  context: SessionContext,
  { id, entries }: SessionSnapshot,
  record: SessionRecord,
): void {
  for (const { key, value } of record.entries) {
    const name = decodeKey(context, id, key)
    if (name !== undefined) entries.keep(name, new EntryValue(value, key.length))
  }
  for (const { key, size } of record.omitted ?? []) {
    const name = decodeKey(context, id, key)
    if (name !== undefined) entries.keep(name, new EntryValue(size, key.length))
  }
}

/**
 * Asks for the values of these keys, which a load has left out.
 *
 * @throws {SessionGoneError} The session ended, changed hands or got another token meanwhile.
 */
export async function fetchEntries(
  { store, codec }: SessionContext,
  { id, guard, secretHashes, entries }: SessionSnapshot,
  keys: readonly string[],
  deadline: Deadline,
): Promise<void> {
  const request = { ...guard, secretHashes, keys: keys.map((key) => codec.encodeKey(key)) }
  const result = await store.fetch?.(request, { deadline })
  if (result?.status !== 'found') throw new SessionGoneError(id)
  const found = new Map(result.entries.map((entry) => [codec.decodeKey(entry.key), entry]))
  for (const key of keys) {
    // A value that this request has saved meanwhile is newer.
    if (!entries.get(key)?.isOmitted) continue
    const entry = found.get(key)
    entries.keep(key, entry === undefined ? null : new EntryValue(entry.value, entry.key.length))
  }
}

/** A renewed token was used after its grace: by a thief, or by the user whose thief renewed it. */
async function endReused(
  { store, events, policy }: SessionContext,
  sessionId: string,
  userId: string | null,
  deadline: Deadline,
): Promise<void> {
  events.emit('tokenReused', { sessionId, userId })
  const { onReuse } = policy.renewal
  if (onReuse === 'log') return
  const ended =
    onReuse === 'destroyByUser' && userId !== null
      ? await store.destroyByUser(userId, [], { deadline })
      : (await store.destroy({ id: sessionId }, { deadline })).status === 'ended'
        ? [sessionId]
        : []
  for (const id of ended) events.emit('destroyed', { sessionId: id, userId })
}

/** A value that is sealed, in sessions without the setting `seal`. A codec of raw bytes would take it for the value. */
export class StillSealed extends UndecodableError {
  constructor() {
    super('The stored value is sealed, and these sessions have no setting seal.')
  }
}

/** The text of a key, or undefined (and an event) when its bytes do not decode. */
function decodeKey(context: SessionContext, id: string, key: Uint8Array): string | undefined {
  try {
    return context.codec.decodeKey(key)
  } catch (error) {
    if (!(error instanceof UndecodableError)) throw error
    reportUndecodable(context, id, null)
    return undefined
  }
}

/** Reports an entry that counts as absent because its key or its value does not decode. */
export function reportUndecodable(
  { events, codec }: SessionContext,
  sessionId: string,
  key: string | null,
  error?: UndecodableError,
): void {
  if (error instanceof StillSealed) {
    events.emit('unsealFailed', { sessionId, key, reason: 'noSetting' })
    return
  }
  if (error instanceof UnfitValue && key !== null) {
    events.emit('valueUnfit', { sessionId, key, places: error.places })
    return
  }
  events.emit('decodeFailed', { sessionId, key, codec: codec.name })
}
