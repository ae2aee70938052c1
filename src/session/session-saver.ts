import { ResponseStartedError, SessionGoneError, StoreUnavailableError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { Created, NewSession } from '../store/session-store.ts'
import { ChangeSet } from './change-set.ts'
import type { ResponseLink } from './response-link.ts'
import { type NextToken, planChange, planNewSession } from './save-plan.ts'
import { openSealedToken, sealToken } from './sealed-token.ts'
import type { SessionContext } from './session-context.ts'
import { SessionSnapshot } from './session-snapshot.ts'
import type { SignIn } from './sign-in.ts'
import { StoredEntries } from './stored-entries.ts'
import type { IssuedToken } from './token.ts'

/** What the response's cookie has to say about the session. */
export type CookieUpdate =
  | { readonly kind: 'none' }
  | { readonly kind: 'ended' }
  | {
      readonly kind: 'issued'
      readonly token: string
      /** Milliseconds to the session's absolute deadline; `Infinity` for none. */
      readonly remaining: number
      /** Whether the session has a lifetime of its own, and so is to outlive the browser. */
      readonly isRemembered: boolean
    }

/** How a save may go about it. */
export interface SaveTerms {
  /** Whether a token whose time has come is renewed with it: the response can carry the new one. */
  readonly mayRenew?: boolean
}

const SUPERSEDED =
  'Another request gave the session a new token or signed in while this request held the old token, so nothing was changed. Let the client repeat the request with its new cookie.'

/**
 * Brings one request's changes to the store: which session is to begin, change or end, under which token,
 * and what the client is to be told of it.
 */
export class SessionSaver {
  /** The stored session; null for an anonymous one. */
  known: SessionSnapshot | null = null
  /** A stored session whose user is gone: anonymous to this request, and replaced by whatever it begins. */
  orphan: SessionSnapshot | null = null
  /** Whether this request has stored it for the first time. */
  isNew = false
  /** What the cookie of the response has to say, as far as it has been saved. */
  news: CookieUpdate = { kind: 'none' }
  readonly #context: SessionContext
  readonly #link: ResponseLink
  /** The token that this request holds, in clear; null for a visitor without one. */
  token: string | null

  constructor(context: SessionContext, link: ResponseLink, token: string | null) {
    this.#context = context
    this.#link = link
    this.token = token
  }

  /**
   * Saves changes, and signs a user in with them if one is given.
   *
   * @throws {SessionGoneError} The session ended, or passed to another user, meanwhile.
   */
  async save(
    changes: ChangeSet,
    signIn: SignIn | null,
    terms: SaveTerms,
    deadline: Deadline,
  ): Promise<void> {
    const { known, orphan } = this
    const begins = signIn !== null || changes.writes
    if (orphan !== null && (begins || changes.end !== 'no')) {
      await (begins
        ? this.#replace(orphan, changes, signIn, deadline)
        : this.#destroy(orphan, deadline))
      this.orphan = null
    } else if (known === null) {
      if (changes.end === 'destroy' && this.token !== null) this.#tell({ kind: 'ended' })
      if (begins) await this.#create(changes, signIn, deadline)
    } else if (changes.end === 'destroy' && !begins) {
      await this.#destroy(known, deadline)
    } else if (changes.end !== 'no') {
      await this.#replace(known, changes, signIn, deadline)
    } else {
      await this.#changeKnown(known, changes, signIn, terms, deadline)
    }
  }

  /** Never fails: the token that the client has goes on working, and the next request tries again. */
  async renewIfDue(deadline: Deadline): Promise<void> {
    const { known } = this
    if (known === null || !this.isRenewable(known)) return
    if (known.lostSuccessor !== null) return this.#sendAgain(known, known.lostSuccessor)
    const changes = new ChangeSet()
    try {
      const token = this.#nextToken(known, changes, null, { mayRenew: true })
      await this.#saveKnown(known, token, changes, null, deadline)
    } catch (error) {
      const isTold = error instanceof SessionGoneError || error instanceof StoreUnavailableError
      if (isTold) return
      this.#context.policy.log.warn({ err: error }, 'a session token could not be renewed')
    }
  }

  isRenewable(known: SessionSnapshot): boolean {
    const isDue = known.isRenewalDue || known.lostSuccessor !== null
    if (!isDue || this.#link.isConditional) return false
    const phase = this.#link.phase?.() ?? 'open'
    return phase === 'open' || phase === 'held'
  }

  async #create(changes: ChangeSet, signIn: SignIn | null, deadline: Deadline): Promise<void> {
    const { token, session } = this.#planNew('Storing a first value', changes, signIn)
    const result = await this.#context.store.create(session, { deadline })
    if (result.status === 'taken') throw new SessionGoneError(session.id)
    const { id: sessionId } = this.#begin(token, session, result, changes)
    const { userId } = session
    this.#context.events.emit('created', { sessionId, userId })
    this.#tellOfSignIn(sessionId, signIn)
  }

  async #replace(
    known: SessionSnapshot,
    changes: ChangeSet,
    signIn: SignIn | null,
    deadline: Deadline,
  ): Promise<void> {
    const { token, session } = this.#planNew('Clearing the session', changes, signIn)
    const { tokenGuard } = known
    const result = await this.#context.store.replace(tokenGuard, session, { deadline })
    const isOrphan = known === this.orphan
    if (isOrphan && result.status !== 'created') return this.#create(changes, signIn, deadline)
    if (result.status === 'superseded') throw new SessionGoneError(known.id, SUPERSEDED)
    if (result.status === 'gone') {
      // What another user's session ended with does not go on as a sign-in in its place.
      const takesOver = signIn !== null && known.summary.userId !== null
      const begins = !takesOver && (signIn !== null || changes.writes)
      if (changes.end !== 'destroy' && !begins) throw new SessionGoneError(known.id)
      // It has ended, as it should. A second click on "log in" gets a session of its own.
      this.known = null
      return this.#create(changes, signIn, deadline)
    }
    const { id: successorId } = this.#begin(token, session, result, changes)
    this.#context.events.emit('cleared', { sessionId: known.id, successorId })
    this.#tellOfSignIn(successorId, signIn)
  }

  async #destroy(known: SessionSnapshot, deadline: Deadline): Promise<void> {
    const { id: sessionId, userId } = known.summary
    const { secretHashes } = known
    const { store } = this.#context
    const result = await store.destroy({ id: sessionId, secretHashes }, { deadline })
    if (result.status === 'superseded') throw new SessionGoneError(sessionId, SUPERSEDED)
    this.known = null
    this.#tell({ kind: 'ended' })
    // This request has seen it live, so it has ended it if an attempt may have got through.
    const hasEnded = result.status === 'ended' || result.isInDoubt === true
    if (hasEnded) this.#context.events.emit('destroyed', { sessionId, userId })
  }

  async #changeKnown(
    known: SessionSnapshot,
    changes: ChangeSet,
    signIn: SignIn | null,
    terms: SaveTerms,
    deadline: Deadline,
  ): Promise<void> {
    changes.dropDeletionsOfAbsent(known.entries)
    if (changes.isEmpty && signIn === null) return
    known.entries.checkLimits(changes, this.#context.policy.limits)
    const token = this.#nextToken(known, changes, signIn, terms)
    await this.#saveKnown(known, token, changes, signIn, deadline)
  }

  /** A new token when one is asked for, without a grace, or when a renewal is due. */
  #nextToken(
    known: SessionSnapshot,
    changes: ChangeSet,
    signIn: SignIn | null,
    { mayRenew }: SaveTerms,
  ): NextToken | null {
    const { tokens, policy } = this.#context
    if (changes.rotate || signIn !== null) {
      const token = tokens.reissue(known.id)
      this.#refuseIfTooLate('Rotating the token')
      return { ...token, grace: null }
    }
    if (!mayRenew || !known.isRenewalDue || !this.isRenewable(known)) return null
    const token = tokens.reissue(known.id)
    if (known.isRotationDue || this.token === null) return { ...token, grace: null }
    const { duration } = policy.renewal.grace
    return { ...token, grace: { duration, successor: sealToken(token.token, this.token) } }
  }

  async #saveKnown(
    known: SessionSnapshot,
    token: NextToken | null,
    changes: ChangeSet,
    signIn: SignIn | null,
    deadline: Deadline,
  ): Promise<void> {
    const { store, policy, codec } = this.#context
    const change = planChange(policy, codec, known, token, changes, signIn)
    const result = await store.save(change, { deadline }).catch((error: unknown) => {
      const isUnknown = error instanceof StoreUnavailableError && error.outcome === 'unknown'
      if (isUnknown && token !== null) known.tokenMayBe(token.secretHash)
      throw error
    })
    if (result.status === 'gone') {
      if (signIn === null) throw new SessionGoneError(known.id)
      return this.#signInApart(known, changes, signIn, deadline)
    }
    const { ownIdleTimeout } = change.credentials ?? {}
    known.refresh(result.times, {
      ...(signIn === null ? {} : { userId: signIn.userId }),
      ...(ownIdleTimeout === undefined ? {} : { ownIdleTimeout }),
      ...(result.version === undefined ? {} : { version: result.version }),
      ...(token !== null && result.rotated ? { isRotationDue: false } : {}),
    })
    known.entries.keepAll(changes)
    if (token !== null && result.rotated) this.#tokenReplaced(known, token, signIn)
  }

  /**
   * Signs a user in although another request has signed in the same user a moment ago, as after a second click
   * on "log in": with a session of their own, into which the visitor's entries come along.
   *
   * @throws {SessionGoneError} If the session has ended, belongs to another user, or has only another token.
   */
  async #signInApart(
    known: SessionSnapshot,
    changes: ChangeSet,
    signIn: SignIn,
    deadline: Deadline,
  ): Promise<void> {
    const [live] = (await this.#context.store.findLive?.([known.id], { deadline })) ?? []
    if (live?.userId !== signIn.userId) {
      throw new SessionGoneError(known.id, live === undefined ? undefined : SUPERSEDED)
    }
    const carried = new ChangeSet()
    for (const [key, value] of known.entries.all()) {
      // Its bytes are out of reach, for this request's token is dead. Nothing is dropped in silence.
      if (value.isOmitted && changes.pending(key) === undefined) {
        throw new SessionGoneError(known.id, SUPERSEDED)
      }
      carried.set(key, value)
    }
    for (const [key, value] of changes.entries()) {
      if (value === null) carried.delete(key)
      else carried.set(key, value)
    }
    carried.lifetime = changes.lifetime
    await this.#create(carried, signIn, deadline)
  }

  /** The response with the successor of this request's token got lost: sends the same one again. */
  #sendAgain(known: SessionSnapshot, sealed: Uint8Array): void {
    const token = this.token === null ? null : openSealedToken(sealed, this.token)
    if (token === null) return
    const { remaining, isRemembered } = known
    this.#tell({ kind: 'issued', token, remaining, isRemembered })
  }

  #planNew(
    action: string,
    changes: ChangeSet,
    signIn: SignIn | null,
  ): { token: IssuedToken; session: NewSession } {
    const { policy, codec, tokens } = this.#context
    this.#refuseIfTooLate(action)
    new StoredEntries().checkLimits(changes, policy.limits)
    const token = tokens.issue()
    return { token, session: planNewSession(policy, codec, token, changes, signIn) }
  }

  #begin(
    token: IssuedToken,
    session: NewSession,
    { times, version, id = session.id }: Created,
    changes: ChangeSet,
  ): SessionSnapshot {
    const { userId, ownIdleTimeout } = session
    const summary = { id, userId, ownIdleTimeout, version, ...times }
    const known = new SessionSnapshot(this.#context.policy, summary, [token.secretHash])
    known.entries.keepAll(changes)
    this.known = known
    this.isNew = true
    this.#issued(known, token)
    return known
  }

  #tokenReplaced(known: SessionSnapshot, token: NextToken, signIn: SignIn | null): void {
    known.tokenReplaced(token.secretHash)
    this.#issued(known, token)
    if (signIn !== null) return this.#tellOfSignIn(known.id, signIn)
    const { id: sessionId, userId } = known.summary
    this.#context.events.emit(token.grace === null ? 'rotated' : 'renewed', { sessionId, userId })
  }

  #tellOfSignIn(sessionId: string, signIn: SignIn | null): void {
    if (signIn === null) return
    this.#context.events.emit('signedIn', { sessionId, userId: signIn.userId })
  }

  #issued({ remaining, isRemembered }: SessionSnapshot, { token }: IssuedToken): void {
    this.token = token
    this.#tell({ kind: 'issued', token, remaining, isRemembered })
  }

  #tell(news: CookieUpdate): void {
    this.news = news
    this.#link.onCookieUpdate?.()
  }

  /** Asked by a save, whose cookie can still go with a head that waits for it. */
  #refuseIfTooLate(action: string): void {
    if (this.#link.phase?.() === 'sent') throw new ResponseStartedError(action)
  }
}
