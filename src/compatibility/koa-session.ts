import { HeldSession } from './by-sid/held-session.ts'
import { resolveSidSettings, type SidSettings, type SidStoreOptions } from './by-sid/settings.ts'
import { SidSessions } from './by-sid/sid-sessions.ts'
import { userOf } from './by-sid/user-of.ts'
import { contentOf, withExpiry } from './koa-session/koa-content.ts'

export type { SidCommonOptions, SidStoreOptions } from './by-sid/settings.ts'

/** What koa-session tells a store of the request. */
export interface KoaRequest {
  readonly ctx?: object
}

/**
 * An external store for koa-session.
 *
 * It keeps sessions on the same tables as everything else here, with the key of the cookie hashed, and saves
 * the top-level keys that a request has changed: parallel requests keep each other's, a slow one brings no
 * ended session back, and `rolling` writes only when an access is to be noted. A save of a session that
 * has ended meanwhile writes nothing and is not an error.
 *
 * @example
 * ```ts
 * import Koa from 'koa'
 * import session from 'koa-session'
 * import { KoaSessionStore } from 'pg-sessions/koa-session'
 *
 * const app = new Koa()
 * app.keys = ['keep this one to yourself']
 * app.use(session({ store: new KoaSessionStore({ pool }) }, app))
 * ```
 */
export class KoaSessionStore {
  readonly #settings: SidSettings
  readonly #sessions: SidSessions
  /** What each request knows to be stored. */
  readonly #held = new WeakMap<object, HeldSession>()

  /** @throws {ConfigurationError} An option is unknown, wrong, or contradicts another; says what to write. */
  constructor(options: SidStoreOptions) {
    this.#settings = resolveSidSettings('new KoaSessionStore', options)
    this.#sessions = new SidSessions(this.#settings)
  }

  /**
   * Gives a live session; nothing when there is none.
   *
   * @throws {StoreUnavailableError} The store could not be asked. Never an empty session instead.
   */
  async get(
    key: string,
    _maxAge?: number | 'session',
    { ctx }: KoaRequest = {},
  ): Promise<Record<string, unknown> | undefined> {
    const found = await this.#sessions.load(key)
    if (found === null) return undefined
    if (ctx) this.#held.set(ctx, found.held)
    return withExpiry(found.session, found.expiresIn)
  }

  /**
   * Saves what has changed in a session since it was given out; stores one that never was.
   *
   * @param maxAge - Milliseconds until it ends unless it is saved again.
   * @throws {StoreUnavailableError} The store did not answer.
   */
  async set(
    key: string,
    session: object,
    maxAge?: number | 'session',
    { ctx }: KoaRequest = {},
  ): Promise<void> {
    const held = this.#heldOf(key, ctx)
    const userId = userOf(session, this.#settings, held)
    await this.#sessions.save(held, contentOf(session, maxAge, userId, ctx === undefined))
  }

  /** Ends a session. It is not an error when there is none. */
  async destroy(key: string): Promise<void> {
    await this.#sessions.destroy(key)
  }

  /** Stops deleting expired sessions and takes no further calls. The pool stays open. */
  async close(): Promise<void> {
    await this.#sessions.close()
  }

  #heldOf(key: string, ctx: object | undefined): HeldSession {
    const held = ctx && this.#held.get(ctx)
    if (held?.isOf(key)) return held
    const fresh = new HeldSession(key)
    if (ctx) this.#held.set(ctx, fresh)
    return fresh
  }
}
