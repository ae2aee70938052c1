import { NotLoadedError, ResponseStartedError, UndecodableError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { SessionSummary, Touch } from '../store/session-store.ts'
import type { ChangeSet } from './change-set.ts'
import type { EntryValue, ValueUse } from './entry-value.ts'
import { describeSession, describeSignedIn, refuseWithoutDevices } from './describe-session.ts'
import { fetchEntries, type LoadedSession, loadSession, reportUndecodable } from './load-session.ts'
import { PendingChanges } from './pending-changes.ts'
import type { ResponseLink } from './response-link.ts'
import type { SessionContext } from './session-context.ts'
import type { LifetimeChange } from './session-lifetime.ts'
import { type CookieUpdate, type SaveTerms, SessionSaver } from './session-saver.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import { isUserMissing, loadUser, userOf } from './session-user.ts'
import type { ShownToken } from './shown-tokens.ts'
import type { SignIn } from './sign-in.ts'
import { Turn } from './turn.ts'

const DONE: Promise<void> = Promise.resolve()

/**
 * One request's view of one session: what the store has, what the handler has changed since, and
 * which token the client is to get. It speaks to the store, and knows neither SQL nor HTTP.
 */
export class SessionState {
  readonly context: SessionContext
  readonly #tokens: readonly ShownToken[]
  readonly #link: ResponseLink
  #loading: Promise<void> | null = null
  #fetching: Promise<void> | null = null
  /** Whether the store has answered, or there is nothing to ask it about. */
  #isSettled: boolean
  /** Whether a call that loads has ended. Until then nothing is known, with a cookie or without. */
  #isLoaded = false
  readonly #saver: SessionSaver
  readonly #pending = new PendingChanges()
  #shown: string | null = null
  #isAnnounced = false
  #hasTouched = false
  readonly #turn: Turn = new Turn()

  /**
   * @param tokens - The tokens that the client showed: one, as a rule, or none.
   */
  constructor(context: SessionContext, tokens: readonly ShownToken[], link: ResponseLink) {
    this.context = context
    this.#tokens = tokens
    this.#link = link
    this.#isSettled = tokens.length === 0
    this.#saver = new SessionSaver(context, link, tokens[0]?.token ?? null)
  }

  // What the session is

  /** Asks the store once, but for large values. After a failure the next call asks again. */
  load(deadline?: Deadline): Promise<void> {
    return this.#load(deadline, this.context.policy.largeEntries)
  }

  /** Asks for all values, together. */
  loadAll(): Promise<void> {
    const deadline = this.context.deadline()
    const mayHaveOmitted = this.#isLoaded || this.#loading !== null
    const loading = this.#load(deadline, undefined)
    return mayHaveOmitted ? this.#loadRest(loading, deadline) : loading
  }

  /** Asks for those of these keys' values that have been left out, and that no change has replaced. */
  fetch(keys: readonly string[], deadline?: Deadline): Promise<void> {
    if (!this.known?.entries.hasOmitted) return DONE
    return this.#fetch(keys, deadline ?? this.context.deadline())
  }

  /** The stored session; null for an anonymous one. */
  get known(): SessionSnapshot | null {
    return this.#saver.known
  }

  /** @throws {NotLoadedError} The session has not been loaded yet. */
  summary(what: string): SessionSummary | null {
    if (!this.#isLoaded) throw new NotLoadedError(what)
    return this.#saver.known?.summary ?? null
  }

  /** The signed-in user's row. @throws {NotLoadedError} It has not been read yet. */
  get user(): unknown {
    this.summary('session.user')
    return userOf(this.context.store, this.known)
  }

  /** Reads the user's row again. */
  async reloadUser(): Promise<unknown> {
    const deadline = this.context.deadline()
    await this.load(deadline)
    return loadUser(this.context, this.known, deadline)
  }

  get isNew(): boolean {
    return this.#saver.known === null || this.#saver.isNew
  }

  /** What a key holds with the pending changes applied; undefined when it holds nothing. */
  find(key: string): { readonly value: unknown } | undefined {
    const entry = this.#pending.entry(key, this.known?.entries.get(key))
    return entry && this.#decoded(key, entry, this.context.freezesValues ? 'frozen' : 'shared')
  }

  /** The same, for the caller to keep. */
  copy(key: string): { readonly value: unknown } | undefined {
    const entry = this.#pending.entry(key, this.known?.entries.get(key))
    return entry && this.decode(key, entry)
  }

  /** Whether a key has a value that decodes, or one that has been left out. */
  holds(key: string): boolean {
    return this.#isOmitted(key) || this.find(key) !== undefined
  }

  /** The keys there are with the pending changes applied. */
  keys(): string[] {
    return this.#pending.keys(this.known?.entries.keys() ?? [])
  }

  /** A value, or undefined (and, the first time, an event) when its bytes do not decode. */
  decode(key: string, entry: EntryValue): { readonly value: unknown } | undefined {
    return this.#decoded(key, entry, 'own')
  }

  #decoded(key: string, entry: EntryValue, as: ValueUse): { readonly value: unknown } | undefined {
    if (entry.isUndecodable) return undefined
    try {
      return { value: entry.decode(this.context.codec, as) }
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error
      reportUndecodable(this.context, this.known?.id ?? '', key)
      return undefined
    }
  }

  /** The token that the client showed, in clear; null for one without a session. */
  async shownToken(): Promise<string | null> {
    await this.load()
    return this.#shown
  }

  /** The token that the client holds after this response, in clear. One that is due is renewed first. */
  async tokenToKeep(): Promise<string | null> {
    const deadline = this.context.deadline()
    await this.load(deadline)
    await this.#turn.take(deadline, () => this.#saver.renewIfDue(deadline))
    return this.known === null ? null : this.#saver.token
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
    if (this.#isSettled && this.#saver.known === null)
      this.#refuseIfHeadSent('Storing a first value')
    this.#change((changes) => changes.set(key, entry))
  }

  delete(key: string): void {
    const isThere = this.#saver.known?.entries.has(key) || this.#pending.concerns(key)
    if (!this.#isSettled || isThere) this.#change((changes) => changes.delete(key))
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
  setLifetime(lifetime: LifetimeChange): void {
    this.#refuseIfHeadSent('Setting the lifetime')
    this.#change((changes) => {
      changes.lifetime = lifetime
      changes.rotate = true
    })
  }

  // Telling the store

  /** Saves what has changed, in one round trip. Saves of one request wait for each other. */
  save(deadline: Deadline = this.context.deadline()): Promise<void> {
    return this.#turn.take(deadline, () => this.#saveChanges(null, {}, deadline))
  }

  /** Does so for the response, which a new token can go with: renews the token when that is due. */
  commit(): Promise<void> {
    const deadline = this.context.deadline()
    return this.#turn.take(deadline, async () => {
      await this.#saveChanges(null, { mayRenew: true }, deadline)
      await this.#saver.renewIfDue(deadline)
    })
  }

  /** Signs a user in at once, together with what else has changed. */
  signIn(signIn: SignIn): Promise<void> {
    if (signIn.device !== null) refuseWithoutDevices(this.context.store)
    this.#announce()
    const deadline = this.context.deadline()
    return this.#turn.take(deadline, async () => {
      await this.#saveChanges(signIn, {}, deadline)
      await describeSignedIn(this.context, this.known, signIn.device, deadline)
    })
  }

  /** Notes at once what is said of the session's device; null forgets it. */
  async describe(device: string | null): Promise<void> {
    const deadline = this.context.deadline()
    await this.load(deadline)
    return this.#turn.take(deadline, () =>
      describeSession(this.context, this.known, device, deadline),
    )
  }

  /** Ends the session at once. What is set afterwards begins another. */
  signOut(): Promise<void> {
    this.end('destroy')
    return this.save()
  }

  /** Writes the access if that is due and no save has done so. No response waits for it. */
  touchIfDue(): void {
    const { known } = this.#saver
    if (known === null || this.#saver.isNew || this.#hasTouched || !known.isTouchDue) return
    this.#touch({ id: known.id, lifetime: known.lifetime(), mayWait: true })
  }

  // The response

  /** What the cookie of the response has to say, as far as it has been saved. */
  get news(): CookieUpdate {
    return this.#saver.news
  }

  /** Drops what has not been saved. */
  discard(): void {
    this.#pending.discard()
    this.#isAnnounced = false
  }

  // How it is done

  #load(deadline: Deadline | undefined, largeEntries: number | undefined): Promise<void> {
    if (this.#isLoaded) return DONE
    if (this.#tokens.length === 0) {
      this.#isLoaded = true
      return DONE
    }
    this.#loading ??= this.#loadNow(deadline ?? this.context.deadline(), largeEntries)
    return this.#loading
  }

  async #loadNow(deadline: Deadline, largeEntries: number | undefined): Promise<void> {
    try {
      const loaded = await loadSession(this.context, this.#tokens, { deadline, largeEntries })
      this.#isSettled = true
      this.#isLoaded = true
      if (loaded !== null) this.#keep(loaded)
    } finally {
      this.#loading = null
    }
  }

  #keep({ token, snapshot, orphan = null }: LoadedSession): void {
    this.#saver.token = token
    this.#saver.known = snapshot
    this.#saver.orphan = orphan
    if (snapshot === null) return
    this.#shown = token
    if (this.#saver.isRenewable(snapshot)) this.#announce()
    if (snapshot.isGraceToEnd) {
      // At once: until it is noted, an older request could take the new token for lost.
      const { overlap } = this.context.policy.renewal.grace
      this.#touch({ id: snapshot.id, lifetime: snapshot.lifetime(), overlap })
    } else if (snapshot.isTouchDue) this.#link.onTouchDue?.()
  }

  #isOmitted(key: string): boolean {
    const isOmitted = this.known?.entries.get(key)?.isOmitted === true
    return isOmitted && !this.#pending.concerns(key)
  }

  /** Asks for what an earlier load has left out, and for a user who has signed in since. */
  async #loadRest(loading: Promise<void>, deadline: Deadline): Promise<void> {
    await loading
    await this.fetch([...(this.known?.entries.keys() ?? [])], deadline)
    if (isUserMissing(this.context.store, this.known)) {
      await loadUser(this.context, this.known, deadline)
    }
  }

  async #fetch(keys: readonly string[], deadline: Deadline): Promise<void> {
    for (;;) {
      const omitted = keys.filter((key) => this.#isOmitted(key))
      if (omitted.length === 0 || this.known === null) return
      if (this.#fetching !== null) await this.#fetching.catch(() => {})
      else {
        this.#fetching = fetchEntries(this.context, this.known, omitted, deadline).finally(() => {
          this.#fetching = null
        })
        await this.#fetching
      }
    }
  }

  #touch(touch: Touch): void {
    this.#hasTouched = true
    this.context.inBackground(this.context.store.touch(touch))
  }

  async #saveChanges(signIn: SignIn | null, terms: SaveTerms, deadline: Deadline): Promise<void> {
    if (!this.hasChanges && signIn === null) return
    await this.load(deadline)
    const owner = this.#saver.known?.summary.userId ?? null
    const takesOver = signIn !== null && owner !== null && owner !== signIn.userId
    await this.#pending.saveBy((changes) =>
      this.#saver.save(takesOver ? changes.forAnotherUser() : changes, signIn, terms, deadline),
    )
  }

  #change(change: (changes: ChangeSet) => void): void {
    this.#announce()
    change(this.#pending.collected)
  }

  #announce(): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#link.onChange?.()
  }

  #refuseIfHeadSent(action: string): void {
    const phase = this.#link.phase?.()
    if (phase === 'held' || phase === 'sent') throw new ResponseStartedError(action)
  }
}
