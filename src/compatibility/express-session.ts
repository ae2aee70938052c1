import { EventEmitter } from 'node:events'
import { ConnectionSignal } from './by-sid/connection-signal.ts'
import { resolveSidSettings, type SidSettings, type SidStoreOptions } from './by-sid/settings.ts'
import { SidSessions } from './by-sid/sid-sessions.ts'
import { userOf } from './by-sid/user-of.ts'
import { answer, type Callback } from './express-session/answer.ts'
import { attach, attachToCopies, heldOf } from './express-session/attached.ts'
import {
  contentOf,
  isCookie,
  refuseInvalidExpiry,
  withExpiry,
} from './express-session/cookie-content.ts'
import { LoadedSession, type SessionRequest } from './express-session/loaded-session.ts'
import { SessionCookie } from './express-session/session-cookie.ts'

export type { SidCommonOptions, SidStoreOptions } from './by-sid/settings.ts'
export type { Callback } from './express-session/answer.ts'
export type { CookieData, CookieExpiry } from './express-session/cookie-data.ts'
export type {
  LoadedSession,
  SessionOwner,
  SessionRequest,
} from './express-session/loaded-session.ts'
export type { SessionCookie } from './express-session/session-cookie.ts'
export {
  type CookieSecret,
  expressSessionTokens,
  type SignedTokenOptions,
} from './express-session/signed-tokens.ts'

/** What a session holds if no type is declared: any key, values of unknown type. */
export interface StoredSession {
  readonly [key: string]: unknown
}

/**
 * A store for express-session, which @fastify/session takes as well.
 *
 * It keeps sessions on the same tables as everything else here, with the sid hashed, and saves the
 * top-level keys that a request has changed: parallel requests keep each other's, a slow one brings no ended
 * session back, and reading writes nothing but an access now and then. Every method may be overridden.
 *
 * Callbacks are called once, from outside of any `try`. A `set` for a session that has ended meanwhile
 * writes nothing and is not an error, since the response it belongs to is on its way already.
 *
 * @example
 * ```ts
 * import session from 'express-session'
 * import { PgSessionStore } from 'pg-sessions/express-session'
 *
 * app.use(session({
 *   store: new PgSessionStore({ pool }),
 *   secret: 'keep this one to yourself',
 *   resave: false,
 *   saveUninitialized: false,
 * }))
 * ```
 */
export class PgSessionStore extends EventEmitter {
  readonly #settings: SidSettings
  readonly #sessions: SidSessions
  readonly #connection: ConnectionSignal

  /** Makes `request.session` a new one, under a new sid. The middleware puts it here. */
  declare generate: (request: SessionRequest) => void

  /** @throws {ConfigurationError} An option is unknown, wrong, or contradicts another; says what to write. */
  constructor(options: SidStoreOptions) {
    super()
    this.#settings = resolveSidSettings('new PgSessionStore', options)
    this.#sessions = new SidSessions(this.#settings)
    this.#connection = new ConnectionSignal(this.#settings.store, this.#sessions.events, (event) =>
      this.emit(event),
    )
  }

  /** Gives a live session; nothing when there is none. */
  get<Stored = StoredSession>(sid: string, callback: Callback<Stored | null>): void {
    this.#answer(this.#load(sid), callback as Callback<object | null>)
  }

  /** Saves what has changed in a session since it was given out; stores one that never was. */
  set(sid: string, session: object, callback?: Callback<void>): void {
    this.#answer(this.#save(sid, session), callback)
  }

  /**
   * Notes an access, and a changed cookie. Nothing is asked of the database when the last access was noted
   * within the touch interval. A failure is logged and is not an error to the visitor.
   */
  touch(sid: string, session: object, callback?: Callback<void>): void {
    this.#answer(this.#touch(sid, session), callback)
  }

  /** Ends a session. It is not an error when there is none. */
  destroy(sid: string, callback?: Callback<void>): void {
    this.#answer(this.#sessions.destroy(sid), callback)
  }

  /**
   * Gives all live sessions, native ones that are not express-session's included. Their sids are not known,
   * since the database holds only hashes. Reads the whole table. For a store that was made of `pool` or
   * `database`.
   */
  all<Stored = StoredSession>(callback: Callback<Stored[]>): void {
    const sessions = this.#sessions.all().then((all) => {
      return all.map(({ session, expiresIn }) => withExpiry(session, expiresIn))
    })
    this.#answer(sessions as Promise<Stored[]>, callback)
  }

  /** Ends all live sessions, as `all` gives them. */
  clear(callback?: Callback<void>): void {
    this.#answer(this.#sessions.clear(), callback)
  }

  /** Counts the live sessions. Reads the whole table. */
  length(callback: Callback<number>): void {
    this.#answer(this.#sessions.count(), callback)
  }

  /** Ends the session of a request and begins another in its place. */
  regenerate(request: SessionRequest, callback: Callback<void>): void {
    this.destroy(request.sessionID, (error) => {
      this.generate(request)
      callback(error)
    })
  }

  /** Gives a session with its methods, outside of a request. */
  load<Loaded = LoadedSession & StoredSession>(sid: string, callback: Callback<Loaded>): void {
    this.get<object>(sid, (error, stored) => {
      if (error) return callback(error)
      if (!stored) return callback(null)
      const request: SessionRequest = { sessionID: sid, sessionStore: this }
      callback(null, this.createSession(request, stored) as Loaded)
    })
  }

  /** Makes `request.session` of what `get` gave. */
  createSession<Stored extends object>(
    request: SessionRequest,
    stored: Stored,
  ): LoadedSession & Stored {
    const held = heldOf(stored, request.sessionID)
    const own: unknown = Reflect.get(stored, 'cookie')
    const cookie = isCookie(stored, own)
      ? new SessionCookie(own)
      : this.#newCookie(request, held.snapshot?.summary.ownIdleTimeout ?? null)
    const session = new LoadedSession(request, { ...stored, cookie })
    attach(session, held)
    request.session = session
    return session as LoadedSession & Stored
  }

  /** Stops deleting expired sessions and takes no further calls. The pool stays open. */
  async close(): Promise<void> {
    this.#connection.close()
    await this.#sessions.close()
  }

  async #load(sid: string): Promise<object | null> {
    const found = await this.#sessions.load(sid)
    if (found === null) return null
    const session = withExpiry(found.session, found.expiresIn)
    attachToCopies(session, found.held)
    return session
  }

  async #save(sid: string, session: object): Promise<void> {
    refuseInvalidExpiry(session)
    const held = heldOf(session, sid)
    const userId = userOf(session, this.#settings, held)
    await this.#sessions.save(held, contentOf(session, 'all', held.texts.get('cookie'), userId))
  }

  async #touch(sid: string, session: object): Promise<void> {
    const held = heldOf(session, sid)
    const content = contentOf(session, 'cookie', held.texts.get('cookie'), undefined)
    try {
      await this.#sessions.touch(held, content)
    } catch (error) {
      this.#settings.policy.log.warn({ err: error }, 'a touch of a session failed')
    }
  }

  /** The cookie of a session that began elsewhere, as the middleware makes new ones. */
  #newCookie(request: SessionRequest, idleTimeout: number | null): SessionCookie {
    const standIn: SessionRequest = Object.create(request)
    if ('headers' in request) this.generate(standIn)
    const { cookie } = (standIn.session ?? {}) as { readonly cookie?: SessionCookie }
    const own = new SessionCookie(cookie?.data ?? {})
    own.maxAge = idleTimeout
    return own
  }

  #answer<Answer>(work: Promise<Answer>, callback: Callback<Answer> | undefined): void {
    const noted = work.then((result) => {
      this.#connection.answered()
      return result
    })
    answer(noted, callback, (error) => {
      this.#settings.policy.log.error({ err: error }, 'a call of the session store failed')
    })
  }
}
