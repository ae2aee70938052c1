import { asked, withCaller } from './caller-stack.ts'
import { encodeEntry, takeEntry, updateEntry } from './entry-changes.ts'
import { guardMethods, refuseForeignMembers } from './method-guards.ts'
import type { DefaultData, Key } from './session-data.ts'
import { stateOf } from './session-handle.ts'
import { readLifetime, type SessionLifetime } from './session-lifetime.ts'
import { SessionSafeguards } from './session-safeguards.ts'
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
export class Session<Data extends object = DefaultData> extends SessionSafeguards<Data> {
  static {
    guardMethods(Session.prototype)
    refuseForeignMembers(Session.prototype)
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
      const state = stateOf(this)
      state.values.checkKey(key)
      await state.load()
      await state.fetch([key])
      return state.values.find(key)?.value as Data[K] | undefined
    } catch (error) {
      throw withCaller(error)
    }
  }

  /** Tells whether a key has a value. @throws {StoreUnavailableError} The store could not be asked. */
  async has(key: Key<Data>): Promise<boolean> {
    const state = stateOf(this)
    state.values.checkKey(key)
    await state.load()
    return state.values.has(key)
  }

  /** Gives all keys with their values. @throws {StoreUnavailableError} The store could not be asked. */
  async entries(): Promise<[Key<Data>, Data[Key<Data>]][]> {
    await stateOf(this).loadAll()
    return this.#found()
  }

  /**
   * Reads the session with all its values, so that `data`, `id`, `userId` and the times can be read
   * synchronously. One round trip at the first call, none after it.
   *
   * @throws {StoreUnavailableError} The store could not be asked. The next call asks again.
   */
  async load(): Promise<void> {
    await asked(stateOf(this).loadAll())
  }

  /**
   * What the session holds, as a plain object without a prototype. It is for reading; unless `NODE_ENV` is `production`,
   * it is frozen.
   *
   * @throws {NotLoadedError} `load()` has not been awaited.
   */
  get data(): Readonly<Partial<Data>> {
    stateOf(this).summary('session.data')
    const data: Record<string, unknown> = Object.create(null)
    for (const [key, value] of this.#found()) data[key] = value
    return (stateOf(this).context.freezesValues ? Object.freeze(data) : data) as Partial<Data>
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
    const state = stateOf(this)
    state.set(key, encodeEntry(state.context, key, value))
  }

  /** Removes a key. A key that is not there is no error. */
  delete(key: Key<Data>): void {
    const state = stateOf(this)
    state.values.checkType(key)
    state.delete(key)
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
  async take<K extends Key<Data>>(key: K): Promise<Data[K] | undefined> {
    return (await asked(takeEntry(stateOf(this), key))) as Data[K] | undefined
  }

  /**
   * Replaces a value, at once, by what `change` makes of it; no other request's change is lost.
   *
   * @param change - Is given the value the store holds, undefined for none, and gives the new one,
   * undefined to remove the key. It runs again when another request was faster, so it should do nothing
   * but compute. It must not update the same key itself.
   * @throws {InvalidValueError} Unless `NODE_ENV` is `production`: `change` changed the value in place and returned nothing.
   * @throws {SessionGoneError} The session ended meanwhile. Nothing was written.
   * @example
   * ```ts
   * await session.update('visits', (visits = 0) => visits + 1)
   * ```
   */
  async update<K extends Key<Data>>(
    key: K,
    change: (current: Data[K] | undefined) => Data[K] | undefined | Promise<Data[K] | undefined>,
  ): Promise<void> {
    await asked(updateEntry(stateOf(this), key, change as (current: unknown) => unknown))
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
  async save(): Promise<void> {
    await asked(stateOf(this).save())
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
    stateOf(this).rotate()
  }

  /**
   * Drops all data, the user and the token with the next save, in one statement, and begins a new empty
   * session with a new id and token. What is set afterwards belongs to the new one. Without a session it
   * does nothing.
   *
   * @throws {ResponseStartedError} No cookie can be sent any more.
   */
  clear(): void {
    stateOf(this).end('clear')
  }

  /**
   * Ends the session with the next save and takes the cookie away. It cannot come back, whatever slower
   * requests still do. What is set afterwards begins another session.
   */
  destroy(): void {
    stateOf(this).end('destroy')
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
   * @param options.actor - The administrator who acts as the user, and is signed in to this session: `endImpersonation`
   * goes back to it. The new session holds nothing of theirs, and counts as no sign-in: `authenticatedWithin` is false.
   * @param options.atMost - How long they do, one hour unless told otherwise.
   * @param options.tags - Names by which `sessions.listByTag` and `destroyByTag` find the session.
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
    const signIn = readSignIn(stateOf(this).context.policy, userId, options)
    await asked(stateOf(this).signIn(signIn))
  }

  /**
   * Signs the user out at once: the session ends, with its data, and the cookie is taken away. What is
   * set afterwards (a farewell message, say) begins another session.
   *
   * @throws {StoreUnavailableError} The store did not answer: do not tell the user they are signed out.
   */
  async signOut(): Promise<void> {
    await asked(stateOf(this).signOut())
  }

  /**
   * Stops acting as a user, at once: the session that `signIn(user, { actor })` began ends, and the response carries a new
   * token of the administrator's own session. All tokens before it are dead. In a session that no one acts in, such as at a
   * second click, it does nothing.
   *
   * @returns Whether the administrator is signed in to their own session again. False, and signed out, if it has ended.
   * @throws {SessionGoneError} The acting session ended meanwhile, by another request for instance.
   * @throws {StoreUnavailableError} The store did not answer.
   * @throws {ResponseStartedError} No cookie can be sent any more.
   * @example
   * ```ts
   * const isBack = await session.endImpersonation()
   * ```
   */
  async endImpersonation(): Promise<boolean> {
    return asked(stateOf(this).endImpersonation())
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
    const state = stateOf(this)
    state.setLifetime(readLifetime(state.context.policy, lifetime))
  }

  #found(): [Key<Data>, Data[Key<Data>]][] {
    const found: [Key<Data>, Data[Key<Data>]][] = []
    const state = stateOf(this)
    for (const key of state.values.keys() as Key<Data>[]) {
      const entry = state.values.find(key)
      if (entry !== undefined) found.push([key, entry.value as Data[Key<Data>]])
    }
    return found
  }
}
