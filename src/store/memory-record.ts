import { timingSafeEqual } from 'node:crypto'
import { assertBytes } from './assert-bytes.ts'
import type {
  Actor,
  CredentialChange,
  Elevation,
  Entry,
  Lifetime,
  NewSession,
  PreviousToken,
  SessionRecord,
  SessionSummary,
  SessionTimes,
  StoredSession,
  TokenChange,
} from './session-store.ts'
import { MOST_TAGS } from './session-tags.ts'

/**
 * One session as `MemoryStore` holds it: its state, and what each change does to it.
 *
 * It is never handed out, and copies all bytes on their way in and out, so no caller shares a buffer
 * with it.
 */
export class MemoryRecord {
  readonly id: string
  readonly #createdAt: number
  readonly #entries = new Map<string, Uint8Array>()
  #secretHash: Uint8Array
  #tokenIssuedAt: number
  #previous: {
    readonly hash: Uint8Array
    readonly until: number
    readonly successor: Uint8Array | null
  } | null = null
  #signIns = 0
  #userId: string | null
  #authenticatedAt: number | null
  #lastAccessAt: number
  #expiresAt: number
  #absoluteExpiresAt: number
  #purgeAt: number
  #ownIdleTimeout: number | null
  #device: string | null = null
  #tags: readonly string[]
  readonly actor: Actor | undefined
  #elevation: Elevation | null = null

  constructor(session: NewSession, now: number) {
    this.id = session.id
    this.#createdAt = now
    this.#secretHash = copy(session.secretHash)
    this.#tokenIssuedAt = now
    this.#userId = session.userId
    this.actor = session.actor
    const hasSignedIn = session.userId !== null && session.actor === undefined
    this.#authenticatedAt = hasSignedIn ? now : null
    this.#lastAccessAt = now
    this.#absoluteExpiresAt = now + session.absolute
    this.#expiresAt = this.#idleDeadline(session.lifetime, now)
    this.#purgeAt = this.#expiresAt
    this.#ownIdleTimeout = session.ownIdleTimeout
    this.#tags = [...new Set(session.tags)]
    for (const { key, value } of session.entries) this.set(key, value)
  }

  get userId(): string | null {
    return this.#userId
  }

  get createdAt(): number {
    return this.#createdAt
  }

  /** When the user signed in; when it began for one who never did here. */
  get signedInAt(): number {
    return this.#authenticatedAt ?? this.#createdAt
  }

  get lastAccessAt(): number {
    return this.#lastAccessAt
  }

  isLive(now: number): boolean {
    return this.#expiresAt > now
  }

  isPurgeable(now: number): boolean {
    return this.#purgeAt <= now && !this.isLive(now)
  }

  /** Whether one of the hashes is that of the token in force. */
  accepts(hashes: readonly Uint8Array[]): boolean {
    return isAmong(this.#secretHash, hashes)
  }

  /** Whether one of the hashes is that of the token before, and whether its grace lasts. */
  previousIs(hashes: readonly Uint8Array[], now: number): 'working' | 'dead' | 'another' {
    const previous = this.#previous
    if (previous === null || !isAmong(previous.hash, hashes)) return 'another'
    return previous.until > now ? 'working' : 'dead'
  }

  /** Whether one of the hashes opens the session. */
  opensTo(hashes: readonly Uint8Array[], now: number): boolean {
    return this.accepts(hashes) || this.previousIs(hashes, now) === 'working'
  }

  /** Changes at each sign-in. */
  get version(): string {
    return String(this.#signIns)
  }

  get(key: Uint8Array): Uint8Array | null {
    const value = this.#entries.get(nameOf(key))
    return value ? copy(value) : null
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#entries.set(nameOf(key), copy(value))
  }

  delete(key: Uint8Array): void {
    this.#entries.delete(nameOf(key))
  }

  /** Moves the deadlines forward as an access at `now` does. */
  noteAccess(lifetime: Lifetime, now: number): void {
    this.#lastAccessAt = now
    const idle = this.#ownIdleTimeout ?? lifetime.idle
    this.#expiresAt = Math.max(this.#expiresAt, this.#idleDeadline({ idle }, now))
    const purge = Math.max(this.#ownIdleTimeout ?? 0, lifetime.purge)
    const purgeAt = Math.min(this.#absoluteExpiresAt, now + purge)
    this.#purgeAt = Math.max(this.#purgeAt, purgeAt)
  }

  /** Lets the sign-in look older. */
  backdateSignIn(milliseconds: number): void {
    if (this.#authenticatedAt !== null) this.#authenticatedAt -= milliseconds
  }

  /** Whether the token shown may be replaced: in its grace a token may be ended, and not renewed. */
  mayReplace({ from, grace }: TokenChange, now: number): boolean {
    return this.accepts(from) || (grace === undefined && this.opensTo(from, now))
  }

  /** Replaces the token if the one shown may be. */
  replaceToken(change: TokenChange, now: number): void {
    if (!this.mayReplace(change, now)) return
    const { to, grace } = change
    this.#previous = grace
      ? {
          hash: this.#secretHash,
          until: now + grace.duration,
          successor: copy(grace.successor),
        }
      : null
    this.#secretHash = copy(to)
    this.#tokenIssuedAt = now
  }

  /** Replaces all tokens that work. */
  renew(to: Uint8Array, now: number): void {
    this.#previous = null
    this.#secretHash = copy(to)
    this.#tokenIssuedAt = now
  }

  /** Leaves the token before this long at most. */
  endGrace(overlap: number, now: number): void {
    const previous = this.#previous
    if (previous === null) return
    const until = Math.min(previous.until, now + overlap)
    this.#previous = { ...previous, until, successor: null }
  }

  /** Signs in and resets the lifetime, which, unlike an access, may also shorten it. */
  changeTerms(change: CredentialChange, lifetime: Lifetime, now: number): void {
    const { signIn, factor, absoluteExpiresAt, ownIdleTimeout } = change
    if (signIn) {
      this.#userId = signIn.userId
      this.#authenticatedAt = now
      this.#signIns += 1
      this.#elevation = null
      if (signIn.tags !== undefined) this.#tags = [...new Set(signIn.tags)]
    }
    if (factor !== undefined) this.#elevation = { factor, at: now }
    if (absoluteExpiresAt !== undefined) this.#absoluteExpiresAt = absoluteExpiresAt
    if (ownIdleTimeout !== undefined) this.#ownIdleTimeout = ownIdleTimeout
    if (signIn || absoluteExpiresAt !== undefined || ownIdleTimeout !== undefined) {
      this.#expiresAt = this.#idleDeadline(lifetime, now)
    }
  }

  times(now: number): SessionTimes {
    return {
      createdAt: this.#createdAt,
      authenticatedAt: this.#authenticatedAt,
      lastAccessAt: this.#lastAccessAt,
      tokenIssuedAt: this.#tokenIssuedAt,
      expiresAt: this.#expiresAt,
      absoluteExpiresAt: this.#absoluteExpiresAt,
      purgeAt: this.#purgeAt,
      now,
    }
  }

  summary(now: number): SessionSummary {
    const { id, version } = this
    const summary = { id, userId: this.#userId, ownIdleTimeout: this.#ownIdleTimeout, version }
    const actor = this.actor === undefined ? {} : { actor: this.actor }
    const elevation = this.#elevation === null ? {} : { elevation: this.#elevation }
    return { ...summary, ...this.times(now), ...actor, ...elevation }
  }

  /** Notes what is said of its device. */
  describe(device: string | null): void {
    this.#device = device
  }

  get tags(): readonly string[] {
    return this.#tags
  }

  /** Adds tags and takes tags away, unless there would be too many. */
  changeTags(added: readonly string[], removed: readonly string[]): boolean {
    const tags = [...new Set([...this.#tags, ...added])].filter((tag) => !removed.includes(tag))
    if (tags.length > MOST_TAGS) return false
    this.#tags = tags
    return true
  }

  /** What a list tells of it. */
  listed(now: number): SessionSummary {
    return {
      ...this.summary(now),
      ...(this.#device === null ? {} : { device: this.#device }),
      ...(this.#tags.length === 0 ? {} : { tags: this.#tags }),
    }
  }

  /** All that is kept of it, without its token. */
  stored(now: number): StoredSession {
    return { ...this.listed(now), entries: this.#copyEntries() }
  }

  /** What a client sees who shows the token in force, or the one before. */
  record(
    now: number,
    isPreviousShown: boolean,
    largeEntries: number = Number.POSITIVE_INFINITY,
  ): SessionRecord {
    const { until = now, successor = null } = this.#previous ?? {}
    const sealed = successor && copy(successor)
    const previousToken: PreviousToken | null =
      until > now ? { until, isShown: isPreviousShown, successor: sealed } : null
    const all = this.#copyEntries()
    const entries = all.filter(({ value }) => value.length <= largeEntries)
    const omitted = all.flatMap(({ key, value }) =>
      value.length > largeEntries ? [{ key, size: value.length }] : [],
    )
    const record = { ...this.summary(now), entries, previousToken }
    return omitted.length === 0 ? record : { ...record, omitted }
  }

  #copyEntries(): Entry[] {
    return [...this.#entries].map(([name, value]) => ({
      key: copy(Buffer.from(name, 'latin1')),
      value: copy(value),
    }))
  }

  #idleDeadline(lifetime: Pick<Lifetime, 'idle'>, now: number): number {
    return Math.min(this.#absoluteExpiresAt, now + lifetime.idle)
  }
}

/** Constant in time, so that answers do not tell how much of a forged hash was right. */
function isAmong(own: Uint8Array, hashes: readonly Uint8Array[]): boolean {
  return hashes.some((hash) => hash.length === own.length && timingSafeEqual(hash, own))
}

/** A Map tells byte arrays apart by identity, so keys become strings: one character for one byte. */
function nameOf(key: Uint8Array): string {
  assertBytes(key)
  return Buffer.from(key).toString('latin1')
}

function copy(bytes: Uint8Array): Uint8Array {
  assertBytes(bytes)
  return new Uint8Array(bytes)
}
