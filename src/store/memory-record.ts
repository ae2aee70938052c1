import { timingSafeEqual } from 'node:crypto'
import type {
  CredentialChange,
  Entry,
  Grace,
  Lifetime,
  NewSession,
  PreviousToken,
  SessionRecord,
  SessionSummary,
  SessionTimes,
  TokenChange,
} from './session-store.ts'

/**
 * One session as `MemoryStore` holds it: its state, and what each change does to it.
 *
 * It is never handed out, and copies all bytes on their way in and out, so nobody shares a buffer
 * with it.
 */
export class MemoryRecord {
  readonly id: string
  readonly #createdAt: number
  readonly #entries = new Map<string, Uint8Array>()
  #secretHash: Uint8Array
  #tokenIssuedAt: number
  #previous: { readonly hash: Uint8Array; readonly until: number } | null = null
  #userId: string | null
  #authenticatedAt: number | null
  #lastAccessAt: number
  #expiresAt: number
  #absoluteExpiresAt: number
  #purgeAt: number
  #ownIdleTimeout: number | null

  constructor(session: NewSession, now: number) {
    this.id = session.id
    this.#createdAt = now
    this.#secretHash = copy(session.secretHash)
    this.#tokenIssuedAt = now
    this.#userId = session.userId
    this.#authenticatedAt = session.userId === null ? null : now
    this.#lastAccessAt = now
    this.#absoluteExpiresAt = now + session.absolute
    this.#expiresAt = this.#idleDeadline(session.lifetime, now)
    this.#purgeAt = this.#expiresAt
    this.#ownIdleTimeout = session.ownIdleTimeout
    for (const { key, value } of session.entries) this.set(key, value)
  }

  get userId(): string | null {
    return this.#userId
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

  /** Whether one of the hashes is that of the token before, in its grace. */
  acceptsAsPrevious(hashes: readonly Uint8Array[], now: number): boolean {
    const previous = this.#previous
    return previous !== null && previous.until > now && isAmong(previous.hash, hashes)
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

  /** Replaces the token if the one shown may be, and tells whether it was. */
  replaceToken({ from, to, grace }: TokenChange, now: number): boolean {
    const shown = this.accepts(from)
      ? this.#secretHash
      : this.#replaceablePrevious(from, grace, now)
    if (shown === null) return false
    this.#previous = grace === undefined ? null : { hash: shown, until: now + grace.duration }
    this.#secretHash = copy(to)
    this.#tokenIssuedAt = now
    return true
  }

  /** Leaves the token before this long at most. */
  endGrace(overlap: number, now: number): void {
    const previous = this.#previous
    if (previous === null) return
    this.#previous = { ...previous, until: Math.min(previous.until, now + overlap) }
  }

  /** Signs in and sets the lifetime anew, which unlike an access may also shorten it. */
  changeTerms(change: CredentialChange, lifetime: Lifetime, now: number): void {
    const { signIn, absoluteExpiresAt, ownIdleTimeout } = change
    if (signIn) {
      this.#userId = signIn.userId
      this.#authenticatedAt = now
    }
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
    const { id } = this
    return { id, userId: this.#userId, ownIdleTimeout: this.#ownIdleTimeout, ...this.times(now) }
  }

  /** What a client sees who shows the token in force, or the one before. */
  record(now: number, isPreviousShown: boolean): SessionRecord {
    const { until = now } = this.#previous ?? {}
    const previousToken: PreviousToken | null =
      until > now ? { until, isShown: isPreviousShown } : null
    return { ...this.summary(now), entries: this.#copyEntries(), previousToken }
  }

  #copyEntries(): Entry[] {
    return [...this.#entries].map(([name, value]) => ({
      key: copy(Buffer.from(name, 'latin1')),
      value: copy(value),
    }))
  }

  /** In its grace a token may always be ended, but renewed only if its successor got lost. */
  #replaceablePrevious(
    from: readonly Uint8Array[],
    grace: Grace | undefined,
    now: number,
  ): Uint8Array | null {
    const previous = this.#previous
    if (previous === null || !this.acceptsAsPrevious(from, now)) return null
    if (grace === undefined) return previous.hash
    const isUnshown = previous.until > now + grace.overlap
    return isUnshown && this.#tokenIssuedAt + grace.patience <= now ? previous.hash : null
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
  return Buffer.from(key).toString('latin1')
}

function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
