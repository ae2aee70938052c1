import type {
  Lifetime,
  Precondition,
  PreviousToken,
  SessionSummary,
  SessionTimes,
} from '../store/session-store.ts'
import type { SessionPolicy } from './settings.ts'
import { StoredEntries } from './stored-entries.ts'

/** How many touch intervals the purge bound may run ahead of the deadline. */
const PURGE_SLACK = 30

/** A stored session as this request last saw it. */
export class SessionSnapshot {
  readonly entries: StoredEntries = new StoredEntries()
  readonly #policy: SessionPolicy
  readonly #previousToken: PreviousToken | null
  #summary: SessionSummary
  #seenAt = performance.now()
  #outdatedHashes: readonly Uint8Array[] | null = null
  /** The hashes of the token that this request holds, any of which the store may have. */
  secretHashes: readonly Uint8Array[]

  constructor(
    policy: SessionPolicy,
    summary: SessionSummary,
    secretHashes: readonly Uint8Array[],
    previousToken: PreviousToken | null = null,
  ) {
    this.#policy = policy
    this.#summary = summary
    this.#previousToken = previousToken
    this.secretHashes = secretHashes
  }

  get summary(): SessionSummary {
    return this.#summary
  }

  get id(): string {
    return this.#summary.id
  }

  /** What every write has to name. */
  get guard(): Precondition {
    const { id, userId, version } = this.#summary
    return { id, userId, version }
  }

  /** Takes over what the store said about the session after a change. */
  learn(times: SessionTimes, change: Partial<SessionSummary>): void {
    this.#summary = { ...this.#summary, ...times, ...change }
    this.#seenAt = performance.now()
  }

  /** The store's clock, as far as this process's monotonic clock can tell since it was last read. */
  get storeClock(): number {
    return this.#summary.now + performance.now() - this.#seenAt
  }

  get idleTimeout(): number {
    return this.#summary.ownIdleTimeout ?? this.#policy.idleTimeout
  }

  get isTouchDue(): boolean {
    const sinceAccess = this.storeClock - this.#summary.lastAccessAt
    return sinceAccess >= this.#policy.touchInterval(this.idleTimeout)
  }

  /** Notes that the token that this request holds is of a form that is on its way out. */
  outdate(): void {
    this.#outdatedHashes = this.secretHashes
  }

  /** Whether this request is to replace its token for good, as was asked for elsewhere. */
  get isRotationDue(): boolean {
    return this.#summary.isRotationDue === true
  }

  /**
   * Whether this request is to get another token: because the one it shows has grown old, or because
   * that was renewed and the reply with its successor got lost. The store judges it once more.
   */
  get isRenewalDue(): boolean {
    if (this.isRotationDue) return true
    const { interval, grace } = this.#policy.renewal
    const age = this.storeClock - this.#summary.tokenIssuedAt
    const isOutdated = this.secretHashes === this.#outdatedHashes
    if (!this.#previousToken?.isShown) return isOutdated || age >= interval
    return age >= grace.patience && this.#isGraceWhole
  }

  /** Whether this request is among the first with a new token, so that the one before is to fade. */
  get isGraceToEnd(): boolean {
    return this.#previousToken?.isShown === false && this.#isGraceWhole
  }

  get #isGraceWhole(): boolean {
    const until = this.#previousToken?.until ?? Number.NEGATIVE_INFINITY
    return until - this.storeClock > this.#policy.renewal.grace.overlap
  }

  /**
   * How far an access moves the deadlines.
   *
   * The purge bound is indexed, and each move of it costs an index write; so it stays put while it still
   * covers the deadline, and then leaps ahead by 30 touch intervals: of 30 touches 29 are heap-only.
   */
  lifetime(idle: number = this.idleTimeout): Lifetime {
    const covered = this.#summary.purgeAt - this.storeClock >= idle
    return { idle, purge: covered ? idle : idle + PURGE_SLACK * this.#policy.touchInterval(idle) }
  }

  /** Milliseconds to the absolute deadline; `Infinity` when there is none. */
  get remaining(): number {
    return this.#summary.absoluteExpiresAt - this.storeClock
  }

  /** Whether the session has a lifetime of its own, and so is to outlive the browser. */
  get isRemembered(): boolean {
    return this.#summary.ownIdleTimeout !== null
  }
}
