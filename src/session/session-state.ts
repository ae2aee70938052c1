import {
  NotLoadedError,
  ResponseStartedError,
  SessionGoneError,
  UndecodableError,
} from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { SessionSummary, Touch } from '../store/session-store.ts'
import type { ChangeSet } from './change-set.ts'
import { EntryValue } from './entry-value.ts'
import { PendingChanges } from './pending-changes.ts'
import type { ResponseLink } from './response-link.ts'
import type { SessionContext } from './session-context.ts'
import { type CookieUpdate, type SaveTerms, SessionSaver } from './session-saver.ts'
import type { LifetimeChange } from './session-lifetime.ts'
import { SessionSnapshot } from './session-snapshot.ts'
import { loadShown, type ShownToken } from './shown-tokens.ts'
import type { SignIn } from './sign-in.ts'
import { Turn } from './turn.ts'

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
  #isAnnounced = false
  #hasTouched = false
  readonly #undecodable = new WeakSet<EntryValue>()
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
  async loadAll(): Promise<void> {
    const deadline = this.context.deadline()
    await this.#load(deadline, undefined)
    await this.fetch([...(this.known?.entries.keys() ?? [])], deadline)
  }

  /** Asks for those of these keys' values that have been left out, and that no change has replaced. */
  async fetch(
    keys: readonly string[],
    deadline: Deadline = this.context.deadline(),
  ): Promise<void> {
    for (;;) {
      const omitted = keys.filter((key) => this.#isOmitted(key))
      if (omitted.length === 0) return
      if (this.#fetching !== null) await this.#fetching.catch(() => {})
      else {
        this.#fetching = this.#fetchNow(omitted, deadline).finally(() => {
          this.#fetching = null
        })
        await this.#fetching
      }
    }
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

  get isNew(): boolean {
    return this.#saver.known === null || this.#saver.isNew
  }

  /** What a key holds with the pending changes applied; undefined when it holds nothing. */
  find(key: string): { readonly value: unknown } | undefined {
    const entry = this.#pending.entry(key, this.#saver.known?.entries.get(key))
    const { codec, freezesValues } = this.context
    return entry && this.#decoded(key, entry, () => entry.view(codec, freezesValues))
  }

  /** The same, for the caller to keep. */
  copy(key: string): { readonly value: unknown } | undefined {
    const entry = this.#pending.entry(key, this.#saver.known?.entries.get(key))
    return entry && this.decode(key, entry)
  }

  /** Whether a key has a value that decodes, or one that has been left out. */
  holds(key: string): boolean {
    return this.#isOmitted(key) || this.find(key) !== undefined
  }

  /** The keys there are with the pending changes applied. */
  keys(): string[] {
    return this.#pending.keys(this.#saver.known?.entries.keys() ?? [])
  }

  /** A value, or undefined (and, the first time, an event) when its bytes do not decode. */
  decode(key: string, entry: EntryValue): { readonly value: unknown } | undefined {
    return this.#decoded(key, entry, () => entry.decode(this.context.codec))
  }

  #decoded(
    key: string,
    entry: EntryValue,
    decode: () => unknown,
  ): { readonly value: unknown } | undefined {
    if (this.#undecodable.has(entry)) return undefined
    const found = this.#undecodableIsAbsent(key, decode)
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
    this.#announce()
    const deadline = this.context.deadline()
    return this.#turn.take(deadline, () => this.#saveChanges(signIn, {}, deadline))
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
    if (this.#isLoaded) return Promise.resolve()
    const given = deadline ?? this.context.deadline()
    this.#loading ??= this.#ask(given, largeEntries).finally(() => {
      this.#loading = null
    })
    return this.#loading
  }

  #isOmitted(key: string): boolean {
    const isOmitted = this.known?.entries.get(key)?.isOmitted === true
    return isOmitted && !this.#pending.concerns(key)
  }

  /** @throws {SessionGoneError} The session ended, changed hands or got another token meanwhile. */
  async #fetchNow(keys: readonly string[], deadline: Deadline): Promise<void> {
    const { store, codec } = this.context
    const { known } = this
    if (known === null) return
    const { guard, secretHashes, entries } = known
    const request = { ...guard, secretHashes, keys: keys.map((key) => codec.encodeKey(key)) }
    const result = await store.fetch?.(request, { deadline })
    if (result?.status !== 'found') throw new SessionGoneError(known.id)
    const found = new Map(
      result.entries.map(({ key, value }) => [codec.decodeKey(key), { key, value }]),
    )
    for (const key of keys) {
      // A value that this request has saved meanwhile is newer.
      if (!entries.get(key)?.isOmitted) continue
      const entry = found.get(key)
      entries.keep(key, entry === undefined ? null : new EntryValue(entry.value, entry.key.length))
    }
  }

  async #ask(deadline: Deadline, largeEntries: number | undefined): Promise<void> {
    const { store, events } = this.context
    if (this.#tokens.length === 0) this.#isLoaded = true
    const shown = await loadShown(store, this.#tokens, { deadline, largeEntries })
    this.#isSettled = true
    this.#isLoaded = true
    if (shown === null) return
    if (shown === 'ambiguous') return events.emit('tokenRefused', { reason: 'ambiguous' })
    const { token, proof, result } = shown
    this.#saver.token = token
    if (result.status === 'unknown') {
      const { id: sessionId } = proof
      const { problem } = result
      if (problem !== undefined) return events.emit('sessionUnreadable', { sessionId, problem })
      return events.emit('tokenUnknown', { sessionId })
    }
    if (result.status === 'reused') return this.#endReused(result.id, result.userId, deadline)
    if (result.status === 'expired') {
      return events.emit('expired', { sessionId: result.id, userId: result.userId })
    }
    const { entries, omitted = [], previousToken, ...summary } = result.record
    const { policy } = this.context
    const known = new SessionSnapshot(policy, summary, proof.secretHashes, previousToken)
    if (proof.isOutdated) known.outdate()
    this.#saver.known = known
    for (const key of result.undecodable ?? []) {
      events.emit('decodeFailed', { sessionId: known.id, key, codec: this.context.codec.name })
    }
    const keep = (key: Uint8Array, value: Uint8Array | number): void => {
      const name = this.#undecodableIsAbsent(null, () => this.context.codec.decodeKey(key))
      if (name) known.entries.keep(name.value, new EntryValue(value, key.length))
    }
    for (const { key, value } of entries) keep(key, value)
    for (const { key, size } of omitted) keep(key, size)
    if (this.#saver.isRenewable(known)) this.#announce()
    if (known.isGraceToEnd) {
      // At once: until it is noted, an older request could take the new token for lost.
      const { overlap } = policy.renewal.grace
      this.#touch({ id: known.id, lifetime: known.lifetime(), overlap })
    } else if (known.isTouchDue) this.#link.onTouchDue?.()
  }

  /** A renewed token was used after its grace: by a thief, or by the user whose thief renewed it. */
  async #endReused(sessionId: string, userId: string | null, deadline: Deadline): Promise<void> {
    const { store, events, policy } = this.context
    events.emit('tokenReused', { sessionId, userId })
    const { onReuse } = policy.renewal
    if (onReuse === 'log') return
    const ended =
      onReuse === 'destroyByUser' && userId !== null
        ? await store.destroyByUser(userId, [], { deadline })
        : (await store.destroy({ id: sessionId }, { deadline })).status === 'ended'
          ? [sessionId]
          : []
    for (const id of ended) events.emit('destroyed', { sessionId: id, userId })
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

  #undecodableIsAbsent<Value>(
    key: string | null,
    decode: () => Value,
  ): { readonly value: Value } | undefined {
    try {
      return { value: decode() }
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error
      const sessionId = this.#saver.known?.id ?? ''
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
    this.#link.onChange?.()
  }

  #refuseIfHeadSent(action: string): void {
    const phase = this.#link.phase?.()
    if (phase === 'held' || phase === 'sent') throw new ResponseStartedError(action)
  }
}
