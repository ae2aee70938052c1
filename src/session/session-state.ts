import {
  NotLoadedError,
  ResponseStartedError,
  SessionGoneError,
  StoreUnavailableError,
  UndecodableError,
} from '../errors.ts'
import type {
  NewSession,
  SessionSummary,
  SessionTimes,
  TokenProof,
  Touch,
} from '../store/session-store.ts'
import { ChangeSet } from './change-set.ts'
import { EntryValue } from './entry-value.ts'
import { KnownSession } from './known-session.ts'
import { PendingChanges } from './pending-changes.ts'
import { type NextToken, planChange, planNewSession } from './save-plan.ts'
import type { SessionContext } from './session-context.ts'
import { StoredEntries } from './stored-entries.ts'
import type { IssuedToken } from './token.ts'

/** What the response's cookie has to say about the session. */
export type CookieNews =
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

/** What a session asks and tells whoever answers the request. */
export interface StateWatch {
  /**
   * The response is going to depend on a save. Told once, before the first change is made, or when a
   * token turns out to need renewal; again only after `discard`.
   */
  readonly onChange?: () => void
  /** The access is to be noted, once the response is on its way. */
  readonly onTouchDue?: () => void
  /** Whether the head of the response has left, so that no cookie can be sent any more. */
  readonly isHeadSent?: () => boolean
  /** Whether a head that looks sent to its handler in truth waits for the save under way. */
  readonly isHeadHeld?: () => boolean
  /** Whether the client has hung up, so that it would never get a new token. */
  readonly isClientGone?: () => boolean
}

/**
 * One request's view of one session: what the store has, what the handler has changed since, and
 * which token the client is to get. It speaks to the store, and knows neither SQL nor HTTP.
 */
export class SessionState {
  readonly context: SessionContext
  readonly #proof: TokenProof | null
  readonly #watch: StateWatch
  #loading: Promise<void> | null = null
  #isLoaded: boolean
  #known: KnownSession | null = null
  #isNew = false
  readonly #pending = new PendingChanges()
  #isAnnounced = false
  #isCommitting = false
  #hasTouched = false
  readonly #undecodable = new WeakSet<EntryValue>()
  #turn: Promise<unknown> = Promise.resolve()
  #news: CookieNews = { kind: 'none' }

  /**
   * @param proof - What the client showed; null when it showed no token.
   */
  constructor(context: SessionContext, proof: TokenProof | null, watch: StateWatch) {
    this.context = context
    this.#proof = proof
    this.#watch = watch
    this.#isLoaded = proof === null
  }

  // What the session is

  /** Asks the store once. After a failure the next call asks again. */
  load(): Promise<void> {
    if (this.#isLoaded) return Promise.resolve()
    this.#loading ??= this.#ask().finally(() => {
      this.#loading = null
    })
    return this.#loading
  }

  /** The stored session; null for an anonymous one. */
  get known(): KnownSession | null {
    return this.#known
  }

  /** @throws {NotLoadedError} Nobody has asked the store yet. */
  summary(what: string): SessionSummary | null {
    if (!this.#isLoaded) throw new NotLoadedError(what)
    return this.#known?.summary ?? null
  }

  get isNew(): boolean {
    return this.#known === null || this.#isNew
  }

  /** What a key holds with the pending changes applied; undefined when it holds nothing. */
  find(key: string): { readonly value: unknown } | undefined {
    const entry = this.#pending.entry(key, this.#known?.entries.get(key))
    return entry && this.decode(key, entry)
  }

  /** The keys there are with the pending changes applied. */
  keys(): string[] {
    return this.#pending.keys(this.#known?.entries.keys() ?? [])
  }

  /** A value, or undefined (and, the first time, an event) when its bytes do not decode. */
  decode(key: string, entry: EntryValue): { readonly value: unknown } | undefined {
    if (this.#undecodable.has(entry)) return undefined
    const found = this.#undecodableIsAbsent(key, () => entry.decode(this.context.codec))
    if (found === undefined) this.#undecodable.add(entry)
    return found
  }

  // What is to change: collected until the next save

  get hasChanges(): boolean {
    return !this.#pending.collected.isEmpty
  }

  /** Whether a change of this key, or the end of the session, has not been saved yet. */
  hasPending(key: string): boolean {
    return this.#pending.concerns(key)
  }

  set(key: string, entry: EntryValue): void {
    if (this.#isLoaded && this.#known === null) this.#refuseIfHeadSent('Storing a first value')
    this.#change((changes) => changes.set(key, entry))
  }

  delete(key: string): void {
    const isThere = this.#known?.entries.has(key) || this.#pending.concerns(key)
    if (!this.#isLoaded || isThere) this.#change((changes) => changes.delete(key))
  }

  rotate(): void {
    this.#refuseIfHeadSent('Rotating the token')
    this.#change((changes) => {
      changes.rotate = true
    })
  }

  end(how: 'clear' | 'destroy'): void {
    if (how === 'clear') this.#refuseIfHeadSent('Clearing the session')
    this.#change((changes) => changes.endSession(how))
  }

  /** A new lifetime comes with a new token, since the cookie that carries it has to be sent again. */
  setLifetime(lifetime: { idleTimeout: number; absoluteTimeout?: number }): void {
    this.#refuseIfHeadSent('Setting the lifetime')
    this.#change((changes) => {
      changes.lifetime = lifetime
      changes.rotate = true
    })
  }

  // Telling the store

  /** Saves what has changed, in one round trip. Saves of one request wait for each other. */
  save(): Promise<void> {
    return this.#inTurn(() => this.#saveChanges(null))
  }

  /** Does so for the response, which a new token can go with: renews the token when that is due. */
  commit(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isCommitting = true
      try {
        await this.#saveChanges(null)
        await this.#renewIfDue()
      } finally {
        this.#isCommitting = false
      }
    })
  }

  /** Signs a user in at once, together with what else has changed. */
  signIn(userId: string): Promise<void> {
    this.#announce()
    return this.#inTurn(() => this.#saveChanges(userId))
  }

  /** Ends the session at once. What is set afterwards begins another. */
  signOut(): Promise<void> {
    this.end('destroy')
    return this.save()
  }

  /** Notes the access when that is due and no save has. Nobody waits for it. */
  touchIfDue(): void {
    const known = this.#known
    if (known === null || this.#isNew || this.#hasTouched || !known.isTouchDue) return
    this.#touch({ id: known.id, lifetime: known.lifetime() })
  }

  // The response

  /** What the cookie of the response has to say, as far as it has been saved. */
  get news(): CookieNews {
    return this.#news
  }

  /** Drops what has not been saved. */
  discard(): void {
    this.#pending.discard()
    this.#isAnnounced = false
  }

  // How it is done

  async #ask(): Promise<void> {
    const { store, events } = this.context
    const proof = this.#proof as TokenProof
    const result = await store.load(proof)
    this.#isLoaded = true
    if (result.status === 'unknown') return events.emit('tokenUnknown', { sessionId: proof.id })
    if (result.status === 'expired') {
      return events.emit('expired', { sessionId: result.id, userId: result.userId })
    }
    const { entries, previousToken, ...summary } = result.record
    const { policy } = this.context
    const known = new KnownSession(policy, summary, proof.secretHashes, previousToken)
    this.#known = known
    for (const { key, value } of entries) {
      const name = this.#undecodableIsAbsent(null, () => this.context.codec.decodeKey(key))
      if (name) known.entries.keep(name.value, new EntryValue(value, key.length))
    }
    if (this.#isRenewable(known)) this.#announce()
    if (known.isGraceToEnd) {
      // At once: until it is noted, an older request could take the new token for lost.
      const { overlap } = policy.renewal.grace
      this.#touch({ id: known.id, lifetime: known.lifetime(), overlap })
    } else if (known.isTouchDue) this.#watch.onTouchDue?.()
  }

  #touch(touch: Touch): void {
    this.#hasTouched = true
    this.context.inBackground(this.context.store.touch(touch))
  }

  async #saveChanges(userId: string | null): Promise<void> {
    if (!this.hasChanges && userId === null) return
    await this.load()
    const owner = this.#known?.summary.userId ?? null
    const takesOver = userId !== null && owner !== null && owner !== userId
    await this.#pending.saveBy((changes) =>
      this.#apply(takesOver ? changes.forAnotherUser() : changes, userId),
    )
  }

  async #apply(changes: ChangeSet, userId: string | null): Promise<void> {
    const known = this.#known
    const begins = userId !== null || changes.writes
    if (known === null) {
      if (changes.end === 'destroy' && this.#proof !== null) this.#news = { kind: 'ended' }
      if (begins) await this.#create(changes, userId)
    } else if (changes.end === 'destroy' && !begins) {
      await this.#destroy(known)
    } else if (changes.end !== 'no') {
      await this.#replace(known, changes, userId)
    } else {
      await this.#changeKnown(known, changes, userId)
    }
  }

  async #create(changes: ChangeSet, userId: string | null): Promise<void> {
    const { token, session } = this.#planNew('Storing a first value', changes, userId)
    const result = await this.context.store.create(session)
    if (result.status === 'taken') throw new SessionGoneError(session.id)
    this.#begin(token, session, result.times, changes)
    this.context.events.emit('created', { sessionId: token.id, userId })
    if (userId !== null) this.context.events.emit('signedIn', { sessionId: token.id, userId })
  }

  async #replace(known: KnownSession, changes: ChangeSet, userId: string | null): Promise<void> {
    const { token, session } = this.#planNew('Clearing the session', changes, userId)
    const result = await this.context.store.replace(known.guard, session)
    if (result.status === 'gone') {
      // Whoever destroys a session wants it gone, and has got that.
      if (changes.end !== 'destroy') throw new SessionGoneError(known.id)
      this.#known = null
      return this.#create(changes, userId)
    }
    this.#begin(token, session, result.times, changes)
    this.context.events.emit('cleared', { sessionId: known.id, successorId: token.id })
    if (userId !== null) this.context.events.emit('signedIn', { sessionId: token.id, userId })
  }

  async #destroy(known: KnownSession): Promise<void> {
    const { id: sessionId, userId } = known.summary
    const wasLive = await this.context.store.destroy(sessionId, null)
    this.#known = null
    this.#news = { kind: 'ended' }
    if (wasLive) this.context.events.emit('destroyed', { sessionId, userId })
  }

  async #changeKnown(
    known: KnownSession,
    changes: ChangeSet,
    userId: string | null,
  ): Promise<void> {
    changes.dropDeletionsOfAbsent(known.entries)
    if (changes.isEmpty && userId === null) return
    known.entries.checkLimits(changes, this.context.policy.limits)
    await this.#saveKnown(known, this.#nextToken(known, changes, userId), changes, userId)
  }

  /** A new token when one is asked for, without a grace, or when a renewal is due. */
  #nextToken(known: KnownSession, changes: ChangeSet, userId: string | null): NextToken | null {
    const { tokens, policy } = this.context
    if (changes.rotate || userId !== null) {
      const token = tokens.reissue(known.id)
      this.#refuseIfTooLate('Rotating the token')
      return { ...token, grace: null }
    }
    if (!this.#isCommitting || !this.#isRenewable(known)) return null
    return { ...tokens.reissue(known.id), grace: policy.renewal.grace }
  }

  async #saveKnown(
    known: KnownSession,
    token: NextToken | null,
    changes: ChangeSet,
    userId: string | null,
  ): Promise<void> {
    const { store, policy, codec } = this.context
    const change = planChange(policy, codec, known, token, changes, userId)
    const result = await store.save(change)
    if (result.status === 'gone') throw new SessionGoneError(known.id)
    const { ownIdleTimeout } = change.credentials ?? {}
    known.learn(result.times, {
      ...(userId === null ? {} : { userId }),
      ...(ownIdleTimeout === undefined ? {} : { ownIdleTimeout }),
    })
    known.entries.keepAll(changes)
    if (token !== null && result.rotated) this.#tokenReplaced(known, token, userId)
  }

  /** Never fails: the token that the client has goes on working, and the next request tries again. */
  async #renewIfDue(): Promise<void> {
    const known = this.#known
    if (known === null || !this.#isRenewable(known)) return
    const changes = new ChangeSet()
    try {
      await this.#saveKnown(known, this.#nextToken(known, changes, null), changes, null)
    } catch (error) {
      const isTold = error instanceof SessionGoneError || error instanceof StoreUnavailableError
      if (isTold) return
      this.context.policy.log.warn({ err: error }, 'a session token could not be renewed')
    }
  }

  #isRenewable(known: KnownSession): boolean {
    return known.isRenewalDue && !this.#isTooLate && !this.#watch.isClientGone?.()
  }

  #planNew(
    action: string,
    changes: ChangeSet,
    userId: string | null,
  ): { token: IssuedToken; session: NewSession } {
    const { policy, codec, tokens } = this.context
    this.#refuseIfTooLate(action)
    new StoredEntries().checkLimits(changes, policy.limits)
    const token = tokens.issue()
    return { token, session: planNewSession(policy, codec, token, changes, userId) }
  }

  #begin(token: IssuedToken, session: NewSession, times: SessionTimes, changes: ChangeSet): void {
    const { id, userId, ownIdleTimeout } = session
    const summary = { id, userId, ownIdleTimeout, ...times }
    const known = new KnownSession(this.context.policy, summary, [token.secretHash])
    known.entries.keepAll(changes)
    this.#known = known
    this.#isNew = true
    this.#issued(known, token)
  }

  #tokenReplaced(known: KnownSession, token: NextToken, userId: string | null): void {
    known.secretHashes = [token.secretHash]
    this.#issued(known, token)
    if (userId !== null) this.context.events.emit('signedIn', { sessionId: known.id, userId })
    else {
      const { id: sessionId, userId: owner } = known.summary
      const name = token.grace === null ? 'rotated' : 'renewed'
      this.context.events.emit(name, { sessionId, userId: owner })
    }
  }

  #issued({ remaining, isRemembered }: KnownSession, { token }: IssuedToken): void {
    this.#news = { kind: 'issued', token, remaining, isRemembered }
  }

  #undecodableIsAbsent<Value>(
    key: string | null,
    decode: () => Value,
  ): { readonly value: Value } | undefined {
    try {
      return { value: decode() }
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error
      const sessionId = this.#known?.id ?? ''
      this.context.events.emit('decodeFailed', { sessionId, key, codec: this.context.codec.name })
      return undefined
    }
  }

  #change(change: (changes: ChangeSet) => void): void {
    this.#announce()
    change(this.#pending.collected)
  }

  #announce(): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#watch.onChange?.()
  }

  #refuseIfHeadSent(action: string): void {
    if (this.#watch.isHeadSent?.()) throw new ResponseStartedError(action)
  }

  /** Asked by a save, whose cookie can still go with a head that waits for it. */
  #refuseIfTooLate(action: string): void {
    if (this.#isTooLate) throw new ResponseStartedError(action)
  }

  get #isTooLate(): boolean {
    return !this.#watch.isHeadHeld?.() && this.#watch.isHeadSent?.() === true
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}
