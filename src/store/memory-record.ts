import { timingSafeEqual } from 'node:crypto'
import type {
  CredentialChange,
  Entry,
  Lifetime,
  NewSession,
  SessionRecord,
  SessionSummary,
  SessionTimes,
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

  /** Constant in time, so that answers do not tell how much of a forged hash was right. */
  accepts(hashes: readonly Uint8Array[]): boolean {
    const own = this.#secretHash
    return hashes.some((hash) => hash.length === own.length && timingSafeEqual(hash, own))
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
    this.#expiresAt = Math.max(this.#expiresAt, this.#idleDeadline(lifetime, now))
    const purgeAt = Math.min(this.#absoluteExpiresAt, now + lifetime.purge)
    this.#purgeAt = Math.max(this.#purgeAt, purgeAt)
  }

  replaceToken(secretHash: Uint8Array): void {
    this.#secretHash = copy(secretHash)
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

  record(now: number): SessionRecord {
    return { ...this.summary(now), entries: this.#copyEntries(), viaPreviousToken: false }
  }

  #copyEntries(): Entry[] {
    return [...this.#entries].map(([name, value]) => ({
      key: copy(Buffer.from(name, 'latin1')),
      value: copy(value),
    }))
  }

  #idleDeadline(lifetime: Lifetime, now: number): number {
    return Math.min(this.#absoluteExpiresAt, now + lifetime.idle)
  }
}

/** A Map tells byte arrays apart by identity, so keys become strings: one character for one byte. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}

function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
