import { withCaller } from './caller-stack.ts'
import { encodeEntry, takeEntry, updateEntry } from './entry-changes.ts'
import type { DefaultData, Key, UserOf } from './session-data.ts'
import { readLifetime, type SessionLifetime } from './session-lifetime.ts'
import { SessionSafeguards } from './session-safeguards.ts'
import type { SessionState } from './session-state.ts'
import { readSignIn, type SignInOptions } from './sign-in.ts'

export type {
  DefaultData,
  DefaultUser,
  Key,
  SessionData,
  SessionUser,
  UserOf,
  WithUser,
} from './session-data.ts'
export type { SessionLifetime } from './session-lifetime.ts'
export type { SignInOptions } from './sign-in.ts'

/**
 * One request's session.
 *
 * Reading is asynchronous, because the first read asks the database. Changes are synchronous and
 * collected; they are saved together in one statement before the head of the response leaves, or by
 * `save()`. `update`, `take`, `signIn` and `signOut` act at once.
 *
 * A visitor without a token, or with one that is unknown or expired, has an anonymous, empty session.
 * It is stored, and a cookie is sent, when it first has something to keep.
 *
 * @example
 * ```ts
 * const basket = (await session.get('basket')) ?? []
 * session.set('basket', [...basket, 'apple'])
 * ```
 */
export class Session<Data extends object = DefaultData> extends SessionSafeguards {
  readonly #use: () => SessionState

  /**
   * @internal Sessions come from `sessions.open` and the adapters.
   * @param use - Gives the state behind the session, and reads the cookie when first called.
   */
  constructor(use: () => SessionState) {
    super(use)
    this.#use = use
  }

  /**
   * Gives a key's value; undefined when there is none.
   *
   * The first call of a request reads the session: one round trip. A value over `largeEntries` takes another.
   *
   * The value is for reading: changing it in place stores nothing, `set` does. Unless `NODE_ENV` is
   * `production`, it is frozen, so that such a change throws.
   *
   * @throws {StoreUnavailableError} The store could not be asked. Never an empty session instead.
   */
  async get<K extends Key<Data>>(key: K): Promise<Data[K] | undefined> {
    try {
      const state = this.#state
      await state.load()
      await state.fetch([key])
      return state.find(key)?.value as Data[K] | undefined
    } catch (error) {
      throw withCaller(error)
    }
  }

  /** Tells whether a key has a value. @throws {StoreUnavailableError} The store could not be asked. */
  async has(key: Key<Data>): Promise<boolean> {
    await this.#state.load()
    return this.#state.holds(key)
  }

  /** Gives all keys with their values. @throws {StoreUnavailableError} The store could not be asked. */
  async entries(): Promise<[Key<Data>, Data[Key<Data>]][]> {
    await this.#state.loadAll()
    return this.#found()
  }

  /**
   * Reads the session with all its values, so that `data`, `id`, `userId` and the times can be read
   * synchronously. One round trip at the first call, none after it.
   *
   * @throws {StoreUnavailableError} The store could not be asked. The next call asks again.
   */
  async load(): Promise<void> {
    try {
      await this.#state.loadAll()
    } catch (error) {
      throw withCaller(error)
    }
  }

  /**
   * What the session holds, as a plain object without a prototype; for reading only.
   *
   * @throws {NotLoadedError} `load()` has not been awaited.
   */
  get data(): Readonly<Partial<Data>> {
    this.#state.summary('session.data')
    const data: Record<string, unknown> = Object.create(null)
    for (const [key, value] of this.#found()) data[key] = value
    return data as Partial<Data>
  }

  /**
   * Sets a key's value. What is stored is the value as it is now; later changes to an object that was
   * passed are not.
   *
   * @throws {InvalidValueError} The codec could not give the value back as it is; names the place.
   * @throws {LimitExceededError} The value is larger than the settings allow.
   * @throws {ResponseStartedError} The session is not stored yet and no cookie can be sent any more.
   */
  set<K extends Key<Data>>(key: K, value: Data[K]): void {
    this.#state.set(key, encodeEntry(this.#state.context, key, value))
  }

  /** Removes a key. A key that is not there is no error. */
  delete(key: Key<Data>): void {
    this.#state.delete(key)
  }

  /**
   * Removes a key at once and gives its value to this request alone: for messages that are shown once.
   * One round trip when there is something to take, none when there is not.
   *
   * @throws {SessionGoneError} The session ended meanwhile.
   * @example
   * ```ts
   * const notice = await session.take('notice')
   * ```
   */
  take<K extends Key<Data>>(key: K): Promise<Data[K] | undefined> {
    return this.#asked(async () => {
      return (await takeEntry(this.#state, key)) as Data[K] | undefined
    })
  }

  /**
   * Replaces a value, at once, by what `change` makes of it; no other request's change is lost.
   *
   * @param change - Is given the value the store holds, undefined for none, and gives the new one,
   * undefined to remove the key. It runs again when another request was faster, so it should do nothing
   * but compute. It must not update the same key itself.
   * @throws {SessionGoneError} The session ended meanwhile. Nothing was written.
   * @example
   * ```ts
   * await session.update('visits', (visits = 0) => visits + 1)
   * ```
   */
  update<K extends Key<Data>>(
    key: K,
    change: (current: Data[K] | undefined) => Data[K] | undefined | Promise<Data[K] | undefined>,
  ): Promise<void> {
    return this.#asked(async () => {
      await updateEntry(this.#state, key, change as (current: unknown) => unknown)
    })
  }

  /**
   * Saves what has changed now, in one round trip, rather than with the response.
   *
   * Once it resolves, every request that starts later sees the changes, on every process. Nothing is
   * asked of the store when nothing has changed.
   *
   * @throws {SessionGoneError} The session ended, or passed to another user, meanwhile. Nothing was
   * written, and the changes are dropped.
   * @throws {LimitExceededError} The session would be larger than the settings allow. Nothing was written.
   * @throws {StoreUnavailableError} The store did not answer. The changes are kept for another try.
   */
  save(): Promise<void> {
    return this.#asked(async () => {
      await this.#state.save()
    })
  }

  /**
   * Gives the session a new token with the next save; the old one is dead in the same statement.
   *
   * Data and id stay. Of several requests that rotate the same token one wins, and the response of that
   * one carries the new cookie.
   *
   * @throws {ResponseStartedError} No cookie can be sent any more.
   */
  rotate(): void {
    this.#state.rotate()
  }

  /**
   * Drops all data, the user and the token with the next save, in one statement, and begins a new empty
   * session with a new id and token. What is set afterwards belongs to the new one. Without a session it
   * does nothing.
   *
   * @throws {ResponseStartedError} No cookie can be sent any more.
   */
  clear(): void {
    this.#state.end('clear')
  }

  /**
   * Ends the session with the next save and takes the cookie away. It cannot come back, whatever slower
   * requests still do. What is set afterwards begins another session.
   */
  destroy(): void {
    this.#state.end('destroy')
  }

  /**
   * Signs a user in at once: new token, old one dead in the same statement, absolute timeout from now.
   *
   * An anonymous visitor's data stays; what another user had stored, or this request had set before for
   * them, is dropped. Whatever requests that began before the sign-in still save is refused.
   *
   * @param userId - Your application's name for the user, up to 255 characters. It is stored readably.
   * @param options.lifetime - How long this session lives, other than the settings say: "remember me". Its
   * cookie outlives the browser.
   * @param options.device - What `listByUser` shows of the place where the user signs in; one more round trip. If
   * it cannot be noted, that is logged, and the user is signed in all the same.
   * @throws {SessionGoneError} Another request rotated or ended the session meanwhile. No user was signed in.
   * @throws {StoreUnavailableError} The store did not answer. This request signed no user in.
   * @throws {ResponseStartedError} No cookie can be sent any more. No user was signed in.
   * @throws {ConfigurationError} An option is unknown or wrong. No user was signed in.
   * @see OWASP ASVS 5.0, 7.2.4: a new token at authentication, the old one terminated.
   * @example
   * ```ts
   * const lifetime = { idleTimeout: '30d', absoluteTimeout: '90d' } as const
   * await session.signIn('ann', req.body.remember ? { lifetime } : {})
   * ```
   */
  async signIn(userId: string, options?: SignInOptions): Promise<void> {
    const signIn = readSignIn(this.#state.context.policy, userId, options)
    return this.#asked(() => this.#state.signIn(signIn))
  }

  /**
   * Signs the user out at once: the session ends, with its data, and the cookie is taken away. What is
   * set afterwards (a farewell message, say) begins another session.
   *
   * @throws {StoreUnavailableError} The store did not answer: do not tell the user they are signed out.
   */
  signOut(): Promise<void> {
    return this.#asked(async () => {
      await this.#state.signOut()
    })
  }

  /**
   * Gives this session a lifetime of its own with the next save, and a new token whose cookie outlives
   * the browser. A later `signIn` goes back to the settings' lifetime, or to its own `lifetime`, so
   * for "remember me" pass `lifetime` to `signIn`.
   *
   * @throws {ConfigurationError} A duration is wrong, or the absolute timeout is the shorter one.
   * @throws {ResponseStartedError} No cookie can be sent any more.
   * @example
   * ```ts
   * session.setLifetime({ idleTimeout: '5m' })
   * ```
   */
  setLifetime(lifetime: SessionLifetime): void {
    this.#state.setLifetime(readLifetime(this.#state.context.policy, lifetime))
  }

  /**
   * The session's public id, a UUID unless the store gives another; null for an anonymous session. It
   * grants nothing, and may be logged, listed and used to end the session.
   * @throws {NotLoadedError} Before `load()`.
   */
  get id(): string | null {
    return this.#state.summary('session.id')?.id ?? null
  }

  /** The signed-in user's id; null for an anonymous session. @throws {NotLoadedError} Before `load()`. */
  get userId(): string | null {
    return this.#state.summary('session.userId')?.userId ?? null
  }

  /**
   * The signed-in user's row, read in the same statement as the session; null for an anonymous session.
   *
   * Needs the setting `user`. After a `signIn` in the same request, await `load()` or `reloadUser()` before.
   *
   * @throws {NotLoadedError} Before `load()`.
   * @throws {ConfigurationError} Without the setting `user`.
   * @example
   * ```ts
   * await session.load()
   * const name = session.user?.['name'] ?? 'stranger'
   * ```
   */
  get user(): UserOf<Data> | null {
    return this.#state.user as UserOf<Data> | null
  }

  /**
   * Reads the user's row again, and gives it: after your application has changed it. One round trip.
   *
   * @returns Null for an anonymous session, and for a user who is gone: the next request is then signed out.
   * @throws {SessionGoneError} The session ended meanwhile.
   * @throws {ConfigurationError} Without the setting `user`.
   */
  reloadUser(): Promise<UserOf<Data> | null> {
    return this.#asked(async () => (await this.#state.reloadUser()) as UserOf<Data> | null)
  }

  /** When the session was first stored; null before. @throws {NotLoadedError} Before `load()`. */
  get createdAt(): Date | null {
    return date(this.#state.summary('session.createdAt')?.createdAt)
  }

  /** When the user signed in; null for an anonymous session. @throws {NotLoadedError} Before `load()`. */
  get authenticatedAt(): Date | null {
    return date(this.#state.summary('session.authenticatedAt')?.authenticatedAt)
  }

  /**
   * When the session ends unless it is used again, by the database's clock; null for an anonymous one.
   * @throws {NotLoadedError} Before `load()`.
   */
  get expiresAt(): Date | null {
    return date(this.#state.summary('session.expiresAt')?.expiresAt)
  }

  /** Whether no earlier request has stored this session. @throws {NotLoadedError} Before `load()`. */
  get isNew(): boolean {
    this.#state.summary('session.isNew')
    return this.#state.isNew
  }

  /** What `JSON.stringify` and loggers show of it: nothing that is secret, and no data. */
  toJSON(): { id: string | null; userId: string | null } {
    const known = this.#state.known
    return { id: known?.id ?? null, userId: known?.summary.userId ?? null }
  }

  /** Shows the caller in the stack of an error. */
  async #asked<Result>(ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask()
    } catch (error) {
      throw withCaller(error)
    }
  }

  get #state(): SessionState {
    return this.#use()
  }

  #found(): [Key<Data>, Data[Key<Data>]][] {
    const found: [Key<Data>, Data[Key<Data>]][] = []
    for (const key of this.#state.keys() as Key<Data>[]) {
      const entry = this.#state.find(key)
      if (entry !== undefined) found.push([key, entry.value as Data[Key<Data>]])
    }
    return found
  }
}

function date(milliseconds: number | null | undefined): Date | null {
  return milliseconds === null || milliseconds === undefined ? null : new Date(milliseconds)
}
