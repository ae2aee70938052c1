import { ConfigurationError, SessionsClosedError, StoreError } from '../errors.ts'
import { MemoryRecord } from './memory-record.ts'
import type {
  Created,
  CreateResult,
  CredentialChange,
  DescribeResult,
  Description,
  DestroyResult,
  EndedPage,
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
  TakeResult,
  TokenPrecondition,
  Touch,
  UpdateResult,
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
  readonly #records = new Map<string, MemoryRecord>()
  readonly #now: () => number
  readonly #listeners = new Set<(id: string) => void>()
  #closed = false

  /** @throws {ConfigurationError} An option is unknown. */
  constructor(options: MemoryStoreOptions = {}) {
    const unknown = Object.keys(options).find((name) => name !== 'now')
    if (unknown !== undefined) {
      throw new ConfigurationError(
        `new MemoryStore has no option ${unknown}. Its only option is now; it lies in this process, beside no tables.`,
      )
    }
    this.#now = options.now ?? Date.now
  }

  /** @throws {SessionsClosedError} After `close()`, as every other call does. */
  async ready(): Promise<void> {
    this.#begin()
  }

  async load(proof: PresentedToken, options: LoadOptions = {}): Promise<LoadResult> {
    const now = this.#begin()
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

  async fetch({ secretHashes, keys, ...guard }: EntryRequest): Promise<FetchResult> {
    const now = this.#begin()
    const record = this.#find(guard, now)
    const works =
      record?.accepts(secretHashes) || record?.previousIs(secretHashes, now) === 'working'
    if (!record || !works) return { status: 'gone' }
    const entries = keys.flatMap((key) => {
      const value = record.get(key)
      return value === null ? [] : [{ key, value }]
    })
    return { status: 'found', entries }
  }

  async create(session: NewSession): Promise<CreateResult> {
    const now = this.#begin()
    const present = this.#records.get(session.id)
    if (present && !present.accepts([session.secretHash])) return { status: 'taken' }
    return createdOf(present ?? this.#add(session, now), now)
  }

  async save(change: SessionChange): Promise<SaveResult> {
    const now = this.#begin()
    const record = this.#find(change, now)
    if (!record) return { status: 'gone' }
    const { credentials, lifetime } = change
    const token = credentials?.token
    const mayReplace = token !== undefined && record.mayReplace(token, now)
    if (credentials && needsToken(credentials) && !mayReplace) return { status: 'gone' }

    if (token) record.replaceToken(token, now)
    if (credentials) record.changeTerms(credentials, lifetime, now)
    if (record.userId !== change.userId) this.#hint(record.id)
    record.noteAccess(lifetime, now)
    for (const key of change.deleted) record.delete(key)
    for (const { key, value } of change.written) record.set(key, value)
    // A repeated renewal finds its own token in force.
    const rotated = token !== undefined && record.accepts([token.to])
    return { status: 'saved', times: record.times(now), rotated, version: record.version }
  }

  /** @throws {StoreError} The successor's id is taken. Nothing has changed then. */
  async replace(ended: TokenPrecondition, successor: NewSession): Promise<ReplaceResult> {
    const now = this.#begin()
    if (!this.#records.get(ended.id)?.isLive(now)) return { status: 'gone' }
    const isHeld = this.#find(ended, now)?.opensTo(ended.secretHashes, now)
    if (!isHeld) return { status: 'superseded' }
    if (this.#records.has(successor.id)) {
      throw new StoreError('The new session has the id of one that exists: give it its own.')
    }
    this.#remove(ended.id)
    return createdOf(this.#add(successor, now), now)
  }

  async update(update: EntryUpdate): Promise<UpdateResult> {
    const now = this.#begin()
    const record = this.#find(update, now)
    if (!record) return { status: 'gone' }
    const current = record.get(update.key)
    if (!areEqual(current, update.expected)) return { status: 'changed', current }
    record.noteAccess(update.lifetime, now)
    if (update.value) record.set(update.key, update.value)
    else record.delete(update.key)
    return { status: 'updated' }
  }

  async take(
    guard: Precondition & { readonly lifetime: Lifetime; readonly key: Uint8Array },
  ): Promise<TakeResult> {
    const now = this.#begin()
    const record = this.#find(guard, now)
    if (!record) return { status: 'gone' }
    record.noteAccess(guard.lifetime, now)
    const value = record.get(guard.key)
    record.delete(guard.key)
    return { status: 'taken', value }
  }

  async describe({ device, ...guard }: Description): Promise<DescribeResult> {
    const record = this.#find(guard, this.#begin())
    record?.describe(device)
    return { status: record === undefined ? 'gone' : 'described' }
  }

  async touch({ id, lifetime, overlap }: Touch): Promise<void> {
    const now = this.#begin()
    const record = this.#records.get(id)
    if (!record?.isLive(now)) return
    record.noteAccess(lifetime, now)
    if (overlap !== undefined) record.endGrace(overlap, now)
  }

  async backdateSignIn(id: string, milliseconds: number): Promise<void> {
    const now = this.#begin()
    const record = this.#records.get(id)
    if (record?.isLive(now)) record.backdateSignIn(milliseconds)
  }

  async destroy({ id, owner, secretHashes }: Ending): Promise<DestroyResult> {
    const now = this.#begin()
    const record = this.#records.get(id)
    // An owner of null, which the type forbids, owns nothing.
    const isOwned = owner === undefined || (owner !== null && record?.userId === owner)
    if (!record || !isOwned) return { status: 'gone' }
    const isLive = record.isLive(now)
    if (isLive && secretHashes && !record.opensTo(secretHashes, now)) {
      return { status: 'superseded' }
    }
    this.#remove(id)
    return record.isLive(now) ? { status: 'ended', userId: record.userId } : { status: 'gone' }
  }

  async listByUser(userId: string): Promise<readonly SessionSummary[]> {
    const now = this.#begin()
    return this.#where((record) => record.userId === userId && record.isLive(now))
      .sort((a, b) => b.lastAccessAt - a.lastAccessAt || (a.id < b.id ? 1 : -1))
      .map((record) => record.listed(now))
  }

  async destroyByUser(userId: string, except: readonly string[]): Promise<readonly string[]> {
    const now = this.#begin()
    const ended = this.#where((record) => record.userId === userId && !except.includes(record.id))
    for (const record of ended) this.#remove(record.id)
    return ended.filter((record) => record.isLive(now)).map((record) => record.id)
  }

  async readUser(userId: string): Promise<readonly StoredSession[]> {
    const now = this.#begin()
    return this.#where((record) => record.userId === userId)
      .sort(byId)
      .map((record) => record.stored(now))
  }

  async destroyPage({ after, before, limit }: EndingPage): Promise<EndedPage> {
    const now = this.#begin()
    const until = before ?? now
    const page = this.#where(({ id, createdAt }) => id > (after ?? '') && createdAt <= until)
      .sort(byId)
      .slice(0, limit)
    for (const { id } of page) this.#remove(id)
    const ended = page
      .filter((record) => record.isLive(now))
      .map(({ id, userId }) => ({ id, userId }))
    const last = page.length < limit ? undefined : page.at(-1)
    return { ended, next: last === undefined ? null : { after: last.id, before: until } }
  }

  async findLive(ids: readonly string[]): Promise<readonly LiveSession[]> {
    const now = this.#begin()
    return ids.flatMap((id) => {
      const record = this.#records.get(id)
      if (!record?.isLive(now)) return []
      return [{ id, userId: record.userId, remaining: record.times(now).expiresAt - now }]
    })
  }

  async listen(onHint: (id: string | null) => void): Promise<RevocationFeed> {
    this.#begin()
    this.#listeners.add(onHint)
    const stop = async (): Promise<void> => {
      this.#listeners.delete(onHint)
    }
    return { isReliable: true, stop }
  }

  async count(): Promise<StoreCounts> {
    const now = this.#begin()
    const live = this.#where((record) => record.isLive(now)).length
    return { live, expired: this.#records.size - live }
  }

  async purge(limit: number): Promise<number> {
    const now = this.#begin()
    const dead = this.#where((record) => record.isPurgeable(now)).slice(0, limit)
    for (const record of dead) this.#remove(record.id)
    return dead.length
  }

  /** Forgets every session. Harmless to repeat. */
  async close(): Promise<void> {
    this.#closed = true
    this.#records.clear()
  }

  /** The one look at the clock that a call takes, so that it judges all deadlines alike. */
  #begin(): number {
    if (this.#closed) throw new SessionsClosedError()
    return this.#now()
  }

  #remove(id: string): void {
    this.#records.delete(id)
    this.#hint(id)
  }

  /** After the current step, so that a reader then finds what it has done. */
  #hint(id: string): void {
    for (const listener of this.#listeners) queueMicrotask(() => listener(id))
  }

  #find(guard: Precondition, now: number): MemoryRecord | undefined {
    const record = this.#records.get(guard.id)
    if (!record?.isLive(now) || record.userId !== guard.userId) return undefined
    return guard.version === undefined || guard.version === record.version ? record : undefined
  }

  #where(condition: (record: MemoryRecord) => boolean): MemoryRecord[] {
    return [...this.#records.values()].filter(condition)
  }

  #add(session: NewSession, now: number): MemoryRecord {
    const record = new MemoryRecord(session, now)
    this.#records.set(record.id, record)
    return record
  }
}

/** What comes with a new token is refused when the token is not replaced. */
function needsToken({ token, signIn, ...lifetime }: CredentialChange): boolean {
  return signIn !== undefined || (token !== undefined && Object.keys(lifetime).length > 0)
}

function createdOf(record: MemoryRecord, now: number): Created {
  return { status: 'created', times: record.times(now), version: record.version }
}

function byId(a: MemoryRecord, b: MemoryRecord): number {
  return a.id < b.id ? -1 : 1
}

function areEqual(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a && b ? Buffer.compare(a, b) === 0 : a === b
}
