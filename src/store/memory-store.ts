import { ConfigurationError, StoreError } from '../errors.ts'
import { assertBytes } from './assert-bytes.ts'
import { fetchEntries, takeEntry, updateEntry } from './memory-entries.ts'
import type { MemoryRecord } from './memory-record.ts'
import { MemoryRecords } from './memory-records.ts'
import {
  destroyMeant,
  destroyPage,
  findLive,
  listLive,
  makeRoom,
  ofUser,
  readUser,
  withTag,
} from './memory-selections.ts'
import { readValues, replaceValues } from './memory-values.ts'
import type {
  ActorReturn,
  ActorReturnResult,
  Created,
  CreateResult,
  CredentialChange,
  DescribeResult,
  Description,
  DestroyResult,
  EndedPage,
  EndedSession,
  Ending,
  EndingPage,
  EntryRequest,
  EntryUpdate,
  FetchResult,
  Lifetime,
  LiveSession,
  LoadOptions,
  LoadResult,
  NewSession,
  OnHint,
  Precondition,
  PresentedToken,
  ReplaceResult,
  RevocationFeed,
  SaveResult,
  SessionChange,
  SessionStore,
  SessionSummary,
  StoreCounts,
  StoredSession,
  StoredValue,
  TagChange,
  TagResult,
  TakeResult,
  TokenPrecondition,
  Touch,
  UpdateResult,
  ValuePage,
  ValueReplacement,
} from './session-store.ts'

/** What a memory store can be told. */
export interface MemoryStoreOptions {
  /** The clock that judges every deadline, in milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * Keeps sessions in this process, for unit tests; they end with it.
 *
 * It answers as `PostgresStore` does and passes the same contract suite. Every call is one step:
 * it has taken effect, whole or not at all, before another call begins. Bytes are copied in and out.
 * Dead sessions stay until `purge`, as in a database.
 *
 * @example
 * ```ts
 * import { MemoryStore } from 'pg-sessions'
 *
 * let now = Date.now()
 * const store = new MemoryStore({ now: () => now })
 * now += 60 * 60 * 1000 // an hour later
 * ```
 */
export class MemoryStore implements SessionStore {
  readonly name = 'memory'
  readonly limitsUsers = true
  readonly keepsFactors = true
  readonly #records: MemoryRecords

  /** @throws {ConfigurationError} An option is unknown. */
  constructor(options: MemoryStoreOptions = {}) {
    const unknown = Object.keys(options).find((name) => name !== 'now')
    if (unknown !== undefined) {
      throw new ConfigurationError(
        `new MemoryStore has no option ${unknown}. Its only option is now; it lies in this process, beside no tables.`,
      )
    }
    this.#records = new MemoryRecords(options.now ?? Date.now)
  }

  /** @throws {SessionsClosedError} After `close()`, as every other call does. */
  async ready(): Promise<void> {
    this.#records.begin()
  }

  async load(proof: PresentedToken, options: LoadOptions = {}): Promise<LoadResult> {
    const now = this.#records.begin()
    const record = this.#records.get(proof.id)
    if (!record) return { status: 'unknown' }
    const { id, userId } = record
    const isCurrent = record.accepts(proof.secretHashes)
    const previous = record.previousIs(proof.secretHashes, now)
    if (isCurrent || previous === 'working') {
      if (!record.isLive(now)) return { status: 'expired', id, userId }
      return { status: 'live', record: record.record(now, !isCurrent, options.largeEntries) }
    }
    const isReused = previous === 'dead' && record.isLive(now)
    return isReused ? { status: 'reused', id, userId } : { status: 'unknown' }
  }

  async fetch(request: EntryRequest): Promise<FetchResult> {
    return fetchEntries(this.#records, request)
  }

  async create(session: NewSession): Promise<CreateResult> {
    const now = this.#records.begin()
    const present = this.#records.get(session.id)
    if (present && !present.accepts([session.secretHash])) return { status: 'taken' }
    if (present !== undefined) return createdOf(present, now)
    const room = makeRoom(this.#records, session, now)
    return { ...createdOf(this.#records.add(session, now), now), ...room.end() }
  }

  async save(change: SessionChange): Promise<SaveResult> {
    for (const { key, value } of change.written) [key, value].forEach(assertBytes)
    change.deleted.forEach(assertBytes)
    const now = this.#records.begin()
    const record = this.#records.find(change, now)
    if (!record) return { status: 'gone' }
    const { credentials, lifetime } = change
    const token = credentials?.token
    const mayReplace = token !== undefined && record.mayReplace(token, now)
    if (credentials && needsToken(credentials) && !mayReplace) return { status: 'gone' }

    const room = makeRoom(this.#records, { id: change.id, ...credentials?.signIn }, now)
    if (token) record.replaceToken(token, now)
    if (credentials) record.changeTerms(credentials, lifetime, now)
    if (record.userId !== change.userId) this.#records.hint(record.id)
    record.noteAccess(lifetime, now)
    for (const key of change.deleted) record.delete(key)
    for (const { key, value } of change.written) record.set(key, value)
    // A repeated renewal finds its own token in force.
    const rotated = token !== undefined && record.accepts([token.to])
    const { version } = record
    return { status: 'saved', times: record.times(now), rotated, version, ...room.end() }
  }

  /** @throws {StoreError} The successor's id is taken. Nothing has changed then. */
  async replace(ended: TokenPrecondition, successor: NewSession): Promise<ReplaceResult> {
    const now = this.#records.begin()
    if (!this.#records.get(ended.id)?.isLive(now)) return { status: 'gone' }
    const isHeld = this.#records.find(ended, now)?.opensTo(ended.secretHashes, now)
    if (!isHeld) return { status: 'superseded' }
    if (this.#records.get(successor.id) !== undefined) {
      throw new StoreError('The new session has the id of one that exists: give it its own.')
    }
    const room = makeRoom(this.#records, { ...successor, id: ended.id }, now)
    this.#records.remove(ended.id)
    return { ...createdOf(this.#records.add(successor, now), now), ...room.end() }
  }

  async update(update: EntryUpdate): Promise<UpdateResult> {
    return updateEntry(this.#records, update)
  }

  async take(
    guard: Precondition & { readonly lifetime: Lifetime; readonly key: Uint8Array },
  ): Promise<TakeResult> {
    return takeEntry(this.#records, guard)
  }

  async describe({ device, ...guard }: Description): Promise<DescribeResult> {
    const record = this.#records.find(guard, this.#records.begin())
    record?.describe(device)
    return { status: record === undefined ? 'gone' : 'described' }
  }

  async endActing({
    own: ownId,
    to,
    lifetime,
    secretHashes,
    ...guard
  }: ActorReturn): Promise<ActorReturnResult> {
    const now = this.#records.begin()
    const record = this.#records.find(guard, now)
    if (record?.actor?.sessionId !== ownId || !record.opensTo(secretHashes, now)) {
      return { status: 'gone' }
    }
    const { userId } = record.actor
    this.#records.remove(record.id)
    const own = this.#records.get(ownId)
    if (!own?.isLive(now) || own.userId !== userId || own.actor !== undefined) {
      return { status: 'ended', own: null }
    }
    own.renew(to, now)
    own.noteAccess(lifetime, now)
    return { status: 'ended', own: own.summary(now) }
  }

  async touch({ id, lifetime, overlap }: Touch): Promise<void> {
    const now = this.#records.begin()
    const record = this.#records.get(id)
    if (!record?.isLive(now)) return
    record.noteAccess(lifetime, now)
    if (overlap !== undefined) record.endGrace(overlap, now)
  }

  async backdateSignIn(id: string, milliseconds: number): Promise<void> {
    const now = this.#records.begin()
    const record = this.#records.get(id)
    if (record?.isLive(now)) record.backdateSignIn(milliseconds)
  }

  async destroy({ id, owner, secretHashes }: Ending): Promise<DestroyResult> {
    const now = this.#records.begin()
    const record = this.#records.get(id)
    // An owner of null, which the type forbids, owns nothing.
    const isOwned = owner === undefined || (owner !== null && record?.userId === owner)
    if (!record || !isOwned) return { status: 'gone' }
    const isLive = record.isLive(now)
    if (isLive && secretHashes && !record.opensTo(secretHashes, now)) {
      return { status: 'superseded' }
    }
    this.#records.remove(id)
    return record.isLive(now) ? { status: 'ended', userId: record.userId } : { status: 'gone' }
  }

  async listByUser(userId: string): Promise<readonly SessionSummary[]> {
    return listLive(this.#records, ofUser(userId))
  }

  async destroyByUser(userId: string, except: readonly string[]): Promise<readonly string[]> {
    return destroyMeant(this.#records, ofUser(userId), except).map(({ id }) => id)
  }

  async tag({ added, removed, ...guard }: TagChange): Promise<TagResult> {
    const record = this.#records.find(guard, this.#records.begin())
    if (record === undefined) return { status: 'gone' }
    if (!record.changeTags(added, removed)) return { status: 'full' }
    return { status: 'tagged', tags: record.tags }
  }

  async listByTag(tag: string): Promise<readonly SessionSummary[]> {
    return listLive(this.#records, withTag(tag))
  }

  async destroyByTag(tag: string, except: readonly string[]): Promise<readonly EndedSession[]> {
    return destroyMeant(this.#records, withTag(tag), except)
  }

  async readUser(userId: string): Promise<readonly StoredSession[]> {
    return readUser(this.#records, userId)
  }

  async readValues(page: ValuePage): Promise<readonly StoredValue[]> {
    return readValues(this.#records, page)
  }

  async replaceValues(replacements: readonly ValueReplacement[]): Promise<number> {
    return replaceValues(this.#records, replacements)
  }

  async destroyPage(page: EndingPage): Promise<EndedPage> {
    return destroyPage(this.#records, page)
  }

  async findLive(ids: readonly string[]): Promise<readonly LiveSession[]> {
    return findLive(this.#records, ids)
  }

  async listen(onHint: OnHint): Promise<RevocationFeed> {
    this.#records.begin()
    this.#records.listeners.add(onHint)
    const stop = async (): Promise<void> => {
      this.#records.listeners.delete(onHint)
    }
    return { isReliable: true, stop }
  }

  async count(): Promise<StoreCounts> {
    const now = this.#records.begin()
    const live = this.#records.where((record) => record.isLive(now)).length
    return { live, expired: this.#records.size - live }
  }

  async purge(limit: number): Promise<number> {
    const now = this.#records.begin()
    const dead = this.#records.where((record) => record.isPurgeable(now)).slice(0, limit)
    for (const record of dead) this.#records.remove(record.id)
    return dead.length
  }

  /** Forgets every session. Harmless to repeat. */
  async close(): Promise<void> {
    this.#records.close()
  }
}

/** What comes with a new token is refused when the token is not replaced. */
function needsToken({ token, signIn, ...lifetime }: CredentialChange): boolean {
  return signIn !== undefined || (token !== undefined && Object.keys(lifetime).length > 0)
}

function createdOf(record: MemoryRecord, now: number): Created {
  return { status: 'created', times: record.times(now), version: record.version }
}
