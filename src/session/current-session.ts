import { ResponseStartedError } from '../errors.ts'
import type { Created, NewSession, Touch } from '../store/session-store.ts'
import type { ChangeSet } from './change-set.ts'
import { type CookieUpdate, NO_COOKIE_UPDATE } from './cookie-update.ts'
import type { ResponseLink } from './response-link.ts'
import type { SessionContext } from './session-context.ts'
import { SessionSnapshot } from './session-snapshot.ts'
import type { IssuedToken } from './token.ts'

/**
 * The session that one request has at this moment: what the store is known to hold, the token that the request
 * holds, and what its response tells the client. Loads and saves bring it up to date.
 */
export class CurrentSession {
  readonly context: SessionContext
  readonly link: ResponseLink
  /** The token that this request holds, in plain text; null for a visitor without one. */
  token: string | null
  /** The stored session; null for an anonymous one. */
  snapshot: SessionSnapshot | null = null
  /** A stored session whose user is gone: anonymous to this request, and replaced by the session it begins. */
  orphan: SessionSnapshot | null = null
  #cookieUpdate: CookieUpdate = NO_COOKIE_UPDATE
  #hasBegun = false
  #isAnnounced = false
  #hasTouched = false

  constructor(context: SessionContext, link: ResponseLink, token: string | null) {
    this.context = context
    this.link = link
    this.token = token
  }

  /** Whether no earlier request has stored it. */
  get isNew(): boolean {
    return this.snapshot === null || this.#hasBegun
  }

  /** What the cookie of the response has to say, as far as it has been saved. */
  get cookieUpdate(): CookieUpdate {
    return this.#cookieUpdate
  }

  // What a save has done

  /** Begins a session that the store has just created. */
  begin(
    token: IssuedToken,
    session: NewSession,
    { times, version, id = session.id }: Created,
    changes: ChangeSet,
  ): SessionSnapshot {
    const { userId, ownIdleTimeout, actor } = session
    const whose = actor === undefined ? { userId } : { userId, actor }
    const summary = { id, ...whose, ownIdleTimeout, version, ...times }
    const snapshot = new SessionSnapshot(this.context.policy, summary, [token.secretHash])
    snapshot.entries.keepAll(changes)
    this.snapshot = snapshot
    this.#hasBegun = true
    this.issue(snapshot, token.token)
    return snapshot
  }

  /** Gives the client the session's new token. */
  issue({ remaining, isRemembered }: SessionSnapshot, token: string): void {
    this.token = token
    this.tell({ kind: 'issued', token, remaining, isRemembered })
  }

  /** Takes the cookie away, since the session has ended. */
  end(): void {
    this.snapshot = null
    this.tell({ kind: 'ended' })
  }

  tell(update: CookieUpdate): void {
    this.#cookieUpdate = update
    this.link.onCookieUpdate?.()
  }

  // What the response allows

  /** Lets the response wait for a save. */
  announceChange(): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.link.onChange?.()
  }

  /** Lets the next change be announced again: the response no longer waits for a save. */
  announceAgain(): void {
    this.#isAnnounced = false
  }

  /** Whether the response is to carry another token, because this one has grown old. */
  get isRenewalDue(): boolean {
    return this.snapshot !== null && this.isRenewable(this.snapshot)
  }

  /** Whether the session's token is due for renewal and the response can carry another. */
  isRenewable(snapshot: SessionSnapshot): boolean {
    const isDue = snapshot.isRenewalDue || snapshot.lostSuccessor !== null
    if (!isDue || this.link.isConditional?.()) return false
    const phase = this.link.phase?.() ?? 'open'
    return phase === 'open' || phase === 'held'
  }

  /** Asked when a handler changes what only a cookie can carry. A held head takes no further change. */
  refuseIfHeadSent(action: string): void {
    const phase = this.link.phase?.()
    if (phase === 'held' || phase === 'sent') throw new ResponseStartedError(action)
  }

  /** Asked by a save, whose cookie can still go with a head that waits for it. */
  refuseIfTooLate(action: string): void {
    if (this.link.phase?.() === 'sent') throw new ResponseStartedError(action)
  }

  // Touching

  /** Touches the session if that is due and no save has done so. No response waits for it. */
  touchIfDue(): void {
    const { snapshot } = this
    if (snapshot === null || this.#hasBegun || this.#hasTouched || !snapshot.isTouchDue) return
    this.touch({ id: snapshot.id, lifetime: snapshot.lifetime(), mayWait: true })
  }

  touch(touch: Touch): void {
    this.#hasTouched = true
    this.context.inBackground(this.context.store.touch(touch))
  }
}
