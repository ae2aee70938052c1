import { NotLoadedError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { SessionSummary } from '../store/session-store.ts'
import { type ActingSignIn, actAs, endImpersonation, signOutActor } from './act-as-user.ts'
import type { ChangeSet } from './change-set.ts'
import type { CookieUpdate } from './cookie-update.ts'
import { CurrentSession } from './current-session.ts'
import { describeSession, describeSignedIn, refuseWithoutDevices } from './describe-session.ts'
import { refuseElevation } from './elevation.ts'
import type { EntryValue } from './entry-value.ts'
import { PendingChanges } from './pending-changes.ts'
import { renewIfDue } from './renew-token.ts'
import type { ResponseLink } from './response-link.ts'
import { saveSession } from './save-session.ts'
import type { SessionContext } from './session-context.ts'
import type { LifetimeChange } from './session-lifetime.ts'
import { SessionLoader } from './session-loader.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import { refuseWithoutTags, type TagsToChange, tagSession } from './session-tags.ts'
import { loadUser, userOf } from './session-user.ts'
import { SessionValues } from './session-values.ts'
import type { ShownToken } from './shown-tokens.ts'
import type { SignIn } from './sign-in.ts'
import { Turn } from './turn.ts'

/**
 * One request's view of one session: what the store has, what the handler has changed since, and
 * which token the client gets. It speaks to the store, and knows neither SQL nor HTTP.
 */
export class SessionState {
  readonly context: SessionContext
  /** The values with the pending changes applied. */
  readonly values: SessionValues
  readonly #current: CurrentSession
  readonly #pending: PendingChanges
  readonly #loader: SessionLoader
  readonly #turn: Turn = new Turn()

  /**
   * @param tokens - The tokens that the client showed: one, as a rule, or none.
   */
  constructor(context: SessionContext, tokens: readonly ShownToken[], link: ResponseLink) {
    this.context = context
    this.#current = new CurrentSession(context, link, tokens[0]?.token ?? null)
    this.#pending = new PendingChanges()
    this.#loader = new SessionLoader(this.#current, this.#pending, tokens)
    this.values = new SessionValues(this.#current, this.#pending, this.#loader)
  }

  // What the session is

  /** Asks the store once, but for large values. After a failure the next call asks again. */
  load(deadline?: Deadline): Promise<void> {
    return this.#loader.load(deadline)
  }

  /** Asks for all values, together. */
  loadAll(): Promise<void> {
    return this.#loader.loadAll()
  }

  /** Asks for those of these keys' values that have been left out, and that no change has replaced. */
  fetch(keys: readonly string[], deadline?: Deadline): Promise<void> {
    return this.#loader.fetch(keys, deadline)
  }

  /** The stored session; null for an anonymous one. */
  get snapshot(): SessionSnapshot | null {
    return this.#current.snapshot
  }

  /** @throws {NotLoadedError} The session has not been loaded yet. */
  summary(what: string): SessionSummary | null {
    if (!this.#loader.isLoaded) throw new NotLoadedError(what)
    return this.snapshot?.summary ?? null
  }

  /** The signed-in user's row. @throws {NotLoadedError} It has not been read yet. */
  get user(): unknown {
    this.summary('session.user')
    return userOf(this.context.store, this.snapshot)
  }

  /** Reads the user's row again. */
  async reloadUser(): Promise<unknown> {
    const deadline = this.context.deadline()
    await this.load(deadline)
    return loadUser(this.context, this.snapshot, deadline)
  }

  /** Whether it is known that the client has no session. */
  get isAnonymous(): boolean {
    return this.#loader.isLoaded && this.snapshot === null
  }

  get isNew(): boolean {
    return this.#current.isNew
  }

  /** The token that the client showed, in plain text; null for one without a session. */
  async shownToken(): Promise<string | null> {
    await this.load()
    return this.#loader.shown
  }

  /** The token that the client holds after this response, in plain text. One that is due is renewed first. */
  async tokenToKeep(): Promise<string | null> {
    const deadline = this.context.deadline()
    await this.load(deadline)
    await this.#turn.take(deadline, () => renewIfDue(this.#current, deadline))
    return this.snapshot === null ? null : this.#current.token
  }

  // Changes, which are collected until the next save

  get hasChanges(): boolean {
    return !this.#pending.collected.isEmpty
  }

  /** Whether a change of this key, or the end of the session, has not been saved yet. */
  hasPending(key: string): boolean {
    return this.#pending.concerns(key)
  }

  set(key: string, entry: EntryValue): void {
    const begins = this.#loader.isSettled && this.snapshot === null
    if (begins) this.#current.refuseIfHeadSent('Storing a first value')
    this.#changes().set(key, entry)
  }

  delete(key: string): void {
    const isThere = this.snapshot?.entries.has(key) || this.#pending.concerns(key)
    if (!this.#loader.isSettled || isThere) this.#changes().delete(key)
  }

  rotate(): void {
    this.#current.refuseIfHeadSent('Rotating the token')
    this.#changes().rotate = true
  }

  end(how: 'clear' | 'destroy'): void {
    if (how === 'clear') this.#current.refuseIfHeadSent('Clearing the session')
    this.#changes().endSession(how)
  }

  /** A new lifetime comes with a new token, since the cookie that carries it has to be sent again. */
  setLifetime(lifetime: LifetimeChange): void {
    this.#current.refuseIfHeadSent('Setting the lifetime')
    const changes = this.#changes()
    changes.lifetime = lifetime
    changes.rotate = true
  }

  // Telling the store

  /** Saves what has changed, in one round trip. Saves of one request wait for each other. */
  save(deadline: Deadline = this.context.deadline()): Promise<void> {
    return this.#turn.take(deadline, () => this.#save(null, false, deadline))
  }

  /** Whether the response has nothing to wait for: all changes are saved, and the token is not due for renewal. */
  get isSettled(): boolean {
    return !this.hasChanges && this.#turn.isFree && !this.#current.isRenewalDue
  }

  /** Saves for the response, which a new token can go with: renews the token when that is due. */
  commit(): Promise<void> {
    const deadline = this.context.deadline()
    return this.#turn.take(deadline, async () => {
      await this.#save(null, true, deadline)
      await renewIfDue(this.#current, deadline)
    })
  }

  /** Signs a user in at once, together with what else has changed. */
  signIn(signIn: SignIn): Promise<void> {
    if (signIn.device !== null) refuseWithoutDevices(this.context.store)
    if (signIn.tags !== null) refuseWithoutTags(this.context.store)
    this.#current.announceChange()
    const deadline = this.context.deadline()
    return this.#turn.take(deadline, async () => {
      if (signIn.acting === null) await this.#save(signIn, false, deadline)
      else await this.#actAs({ ...signIn, acting: signIn.acting }, deadline)
      await describeSignedIn(this.context, this.snapshot, signIn.device, deadline)
    })
  }

  /** Notes at once what is said of the session's device; null forgets it. */
  async describe(device: string | null): Promise<void> {
    const deadline = this.context.deadline()
    await this.load(deadline)
    return this.#turn.take(deadline, () =>
      describeSession(this.context, this.snapshot, device, deadline),
    )
  }

  /** Adds tags to the session at once, or takes them away, and gives those that it has then. */
  async tag(tags: TagsToChange): Promise<readonly string[]> {
    const deadline = this.context.deadline()
    await this.load(deadline)
    return this.#turn.take(deadline, () => tagSession(this.context, this.snapshot, tags, deadline))
  }

  /** Notes at once that the user has proved a second factor, and gives the session a new token. */
  async elevate(factor: string): Promise<void> {
    this.#current.announceChange()
    const deadline = this.context.deadline()
    await this.load(deadline)
    refuseElevation(this.context.store, this.snapshot)
    return this.#turn.take(deadline, () => this.#save(null, false, deadline, factor))
  }

  /** Ends the session at once. What is set afterwards begins another. */
  async signOut(): Promise<void> {
    const deadline = this.context.deadline()
    this.end('destroy')
    await this.load(deadline)
    const actor = this.snapshot?.summary.actor
    await this.save(deadline)
    if (actor !== undefined) await signOutActor(this.context, actor, deadline)
  }

  /** Ends an impersonation at once, and goes back to the administrator's own session if there still is one. */
  async endImpersonation(): Promise<boolean> {
    const deadline = this.context.deadline()
    this.#current.announceChange()
    await this.load(deadline)
    return this.#turn.take(deadline, () =>
      endImpersonation(this.#current, deadline, () => this.#pending.discard()),
    )
  }

  /** Touches the session if that is due and no save has done so. No response waits for it. */
  touchIfDue(): void {
    this.#current.touchIfDue()
  }

  // The response

  /** What the cookie of the response has to say, as far as it has been saved. */
  get cookieUpdate(): CookieUpdate {
    return this.#current.cookieUpdate
  }

  /** Drops what has not been saved. */
  discard(): void {
    this.#pending.discard()
    this.announceAgain()
  }

  /** Lets the next change be announced, although an earlier one was. */
  announceAgain(): void {
    this.#current.announceAgain()
  }

  // How it is done

  /** The collected changes, which the response waits for from now on. */
  #changes(): ChangeSet {
    this.#current.announceChange()
    return this.#pending.collected
  }

  /** What has changed so far belongs to the administrator's session. */
  async #actAs(signIn: ActingSignIn, deadline: Deadline): Promise<void> {
    await this.load(deadline)
    await this.#save(null, false, deadline)
    await actAs(this.#current, signIn, deadline)
  }

  async #save(
    signIn: SignIn | null,
    mayRenew: boolean,
    deadline: Deadline,
    factor: string | null = null,
  ): Promise<void> {
    if (!this.hasChanges && signIn === null && factor === null) return
    await this.load(deadline)
    const owner = this.snapshot?.summary.userId ?? null
    const isOwn = owner === signIn?.userId && this.snapshot?.summary.actor === undefined
    const takesOver = signIn !== null && owner !== null && !isOwn
    const collected = this.#pending.beginSave()
    const changes = takesOver ? collected.forAnotherUser() : collected
    try {
      await saveSession(this.#current, { changes, signIn, factor, mayRenew, deadline })
      this.#pending.saved()
    } catch (error) {
      this.#pending.failed(collected, error)
      throw error
    }
  }
}
