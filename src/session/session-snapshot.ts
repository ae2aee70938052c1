import { realTime } from '../real-time.ts'
import type {
  Lifetime,
  Precondition,
  PreviousToken,
  SessionSummary,
  SessionTimes,
  TokenPrecondition,
} from '../store/session-store.ts'
import type { SessionPolicy } from './session-policy.ts'
import { StoredEntries } from './stored-entries.ts'

/** How many touch intervals the purge bound may run ahead of the deadline. */
const PURGE_SLACK = 30

/** A stored session as this request last saw it. */
export class SessionSnapshot {
  readonly entries: StoredEntries = new StoredEntries()
  /** The user's row; undefined when it has not been read. */
  user: unknown = undefined
  readonly #policy: SessionPolicy
  #previousToken: PreviousToken | null
  #summary: SessionSummary
  #seenAt = realTime.now()
  #outdatedHashes: readonly Uint8Array[] | null = null
  #secretHashes: readonly Uint8Array[]

  constructor(
    policy: SessionPolicy,
    summary: SessionSummary,
    secretHashes: readonly Uint8Array[],
    previousToken: PreviousToken | null = null,
  ) {
    this.#policy = policy
    this.#summary = summary
    this.#previousToken = previousToken
    this.#secretHashes = secretHashes
  }

  get summary(): SessionSummary {
    return this.#summary
  }

  get id(): string {
    return this.#summary.id
  }

  /** The precondition of every write. */
  get guard(): Precondition {
    const { id, userId, version } = this.#summary
    return { id, userId, version }
  }

  /** The precondition of what takes a working token. */
  get tokenGuard(): TokenPrecondition {
    return { ...this.guard, secretHashes: this.#secretHashes }
  }

  /** The hashes of the token that this request holds; the store has one of them. */
  get secretHashes(): readonly Uint8Array[] {
    return this.#secretHashes
  }

  /** Notes that the token was replaced by one with this hash. */
  tokenReplaced(secretHash: Uint8Array): void {
    this.#secretHashes = [secretHash]
    this.#previousToken = null
  }

  /** Notes that the token may have been replaced: the answer of the store got lost. */
  tokenMayBe(secretHash: Uint8Array): void {
    this.#secretHashes = [...this.#secretHashes, secretHash]
  }

  /** Takes over the state that the store returned after a change. */
  refresh(times: SessionTimes, change: Partial<SessionSummary>): void {
    const { elevation, ...before } = this.#summary
    const kept = change.userId === undefined && elevation !== undefined ? { elevation } : {}
    this.#summary = { ...before, ...kept, ...times, ...change }
    if (change.userId !== undefined) this.user = undefined
    this.#seenAt = realTime.now()
  }

  /** The store's clock, as far as this process's monotonic clock can tell since it was last read. */
  get storeClock(): number {
    return this.#summary.now + realTime.now() - this.#seenAt
  }

  /** Milliseconds since the user signed in; `Infinity` for an anonymous session. */
  get authenticationAge(): number {
    return this.storeClock - (this.#summary.authenticatedAt ?? Number.NEGATIVE_INFINITY)
  }

  /** Milliseconds since the user proved a second factor; `Infinity` if none since the sign-in. */
  get elevationAge(): number {
    return this.storeClock - (this.#summary.elevation?.at ?? Number.NEGATIVE_INFINITY)
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
    this.#outdatedHashes = this.#secretHashes
  }

  /** Whether this request is to replace its token for good, as was asked for elsewhere. */
  get isRotationDue(): boolean {
    return this.#summary.isRotationDue === true
  }

  /** Whether the token in force, which this request shows, has grown old. */
  get isRenewalDue(): boolean {
    if (this.isRotationDue) return true
    if (this.#previousToken?.isShown) return false
    const isOutdated = this.#secretHashes === this.#outdatedHashes
    return isOutdated || this.#tokenAge >= this.#policy.renewal.interval
  }

  /**
   * The sealed successor of the token that this request shows, if the response with it must have got lost:
   * it was issued a while ago, and no client has presented it.
   */
  get lostSuccessor(): Uint8Array | null {
    const { isShown = false, successor = null } = this.#previousToken ?? {}
    const isLost = this.#tokenAge >= this.#policy.renewal.grace.patience
    return isShown && isLost ? successor : null
  }

  get #tokenAge(): number {
    return this.storeClock - this.#summary.tokenIssuedAt
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
