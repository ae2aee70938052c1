import type { ResolvedCookie } from './cookie/cookie-settings.ts'
import { ConfigurationError, UnsupportedError } from './errors.ts'
import { Exchange, type ExchangeLink, type SessionOpener } from './http/exchange.ts'
import { shown } from './options/shown.ts'
import { type ResealOptions, type ResealReport, reseal } from './sealing/reseal.ts'
import type { Sealing } from './sealing/sealing.ts'
import type { Administration } from './session/administration.ts'
import { checkHealth, type HealthOptions, type SessionsHealth } from './session/health.ts'
import { type PurgeOptions, type Purger, purgeAll, startPurger } from './session/purger.ts'
import type { DefaultData } from './session/session.ts'
import type { SessionContext } from './session/session-context.ts'
import type { SessionEvents, SessionListener } from './session/session-events.ts'
import {
  type SessionWatch,
  SessionWatcher,
  type WatchEndReason,
  type WatchTarget,
} from './session/session-watcher.ts'
import { SessionsAcrossRequests } from './sessions-across-requests.ts'
import type { SessionStore, StoreCounts } from './store/session-store.ts'

/**
 * All sessions of an application: opens them for requests, and lists, ends and purges them across
 * requests. Made by `createSessions`.
 */
export class Sessions<Data extends object = DefaultData>
  extends SessionsAcrossRequests
  implements SessionOpener<Data>
{
  readonly #context: SessionContext
  readonly #cookie: ResolvedCookie
  readonly #background: Set<Promise<unknown>>
  readonly #purgers = new Set<Purger>()
  readonly #watcher: SessionWatcher
  readonly #sealing: Sealing | null
  readonly #closing: AbortController

  /** @internal */
  constructor(
    context: SessionContext,
    cookie: ResolvedCookie,
    background: Set<Promise<unknown>>,
    sealing: Sealing | null = null,
  ) {
    const closing = new AbortController()
    super(context, closing.signal)
    this.#closing = closing
    this.#sealing = sealing
    this.#context = context
    this.#cookie = cookie
    this.#background = background
    this.#watcher = new SessionWatcher(context.store, context.policy.log)
  }

  get #store(): SessionStore {
    return this.#context.store
  }

  /**
   * Waits until the store is usable: connects, and creates or checks the tables as `migrate` says. The
   * first use does the same; waiting at start brings errors to light there.
   *
   * @throws {SchemaError} The tables are missing, or of a version this release cannot work with.
   * @throws {StoreUnavailableError} The database did not answer. A later call tries again.
   */
  ready(): Promise<void> {
    return this.#store.ready()
  }

  /**
   * Begins the life of one request's session; see {@link Exchange}. The adapters call it.
   *
   * @throws {ConfigurationError} If it was given a request, or anything else in the place of a `Cookie` field.
   */
  open(cookieHeader: string | null | undefined, link?: ExchangeLink): Exchange<Data> {
    if (typeof (cookieHeader ?? '') !== 'string') throw notCookieHeader(cookieHeader)
    return new Exchange<Data>(this.#context, this.#cookie, cookieHeader, link)
  }

  /**
   * Moves the time of a session's sign-in back, for `signedInAs` of `pg-sessions/testing`.
   *
   * @internal
   */
  async backdateSignIn(id: string, milliseconds: number): Promise<void> {
    const { backdateSignIn, name } = this.#store
    if (backdateSignIn === undefined) {
      throw new UnsupportedError(
        `The store '${name}' cannot change when a user signed in. Leave authenticatedAt out.`,
      )
    }
    await backdateSignIn(id, milliseconds)
  }

  /**
   * What `adminPage` of `pg-sessions/admin` works with.
   *
   * @internal
   */
  administration(): Administration {
    const { store, codec, events, policy } = this.#context
    return {
      store,
      codec,
      events,
      log: policy.log,
      isSecure: this.#cookie.secure,
      closing: this.#closing.signal,
    }
  }

  /**
   * Looks whether sessions can be read and written now, for a readiness probe: the database answers, the tables
   * are there, the role may use them, and the server takes writes. It writes nothing, and ends within its deadline.
   *
   * Use it for readiness only. A liveness probe that asks the database restarts all processes when that is down.
   *
   * @throws {ConfigurationError} An option is unknown or wrong. A failure of the database is an answer.
   * @example
   * ```ts
   * app.get('/ready', async (req, res) => {
   *   const health = await sessions.check({ deadline: '900ms' })
   *   res.status(health.ok ? 200 : 503).json(health)
   * })
   * ```
   */
  check(options?: HealthOptions): Promise<SessionsHealth> {
    return checkHealth(this.#store, options)
  }

  /**
   * Encrypts with the current key of `seal` what is stored otherwise: values of a previous key, and, until
   * `acceptUnsealedUntil`, values that are not encrypted. In bounded batches beside live traffic. A value that a
   * request changes meanwhile is left to that request.
   *
   * It may be stopped and called again at any time, in several processes: what is done is passed over.
   *
   * @throws {ConfigurationError} Without the setting `seal`, or if the batch size is wrong.
   * @throws {UnsupportedError} The store cannot go through all of its values.
   * @throws {StoreUnavailableError} The store or the sealer did not answer. Call it again.
   * @example
   * ```ts
   * const { resealed, failed } = await sessions.reseal({ onProgress: ({ seen }) => console.log(seen) })
   * ```
   */
  async reseal(options?: ResealOptions): Promise<ResealReport> {
    if (this.#sealing === null) {
      throw new ConfigurationError(
        'reseal needs the setting seal of createSessions: { keys: [current, previous] }.',
      )
    }
    return reseal(this.#store, this.#sealing, options)
  }

  /** Counts live sessions and expired ones that no purge has deleted yet. Reads the whole table. */
  count(): Promise<StoreCounts> {
    return this.#store.count()
  }

  /**
   * Deletes expired sessions, in bounded batches, beside live traffic and other purges.
   *
   * An expired session is refused at once, purged or not. Its row is deleted once its purge bound has
   * passed, which is at most 30 touch intervals later; after its lifetime was shortened, when the longer
   * one would have ended.
   *
   * @returns How many went.
   */
  purge(options?: PurgeOptions): Promise<number> {
    return purgeAll(this.#store, this.#context.events, options)
  }

  /**
   * Purges now and then again every `purgeInterval`, until it is stopped or `close()` is called. Any
   * number of processes may do so. It does not keep the process alive.
   *
   * @throws {ConfigurationError} If it was given an argument.
   * @example
   * ```ts
   * await using purger = sessions.startPurger()
   * ```
   */
  startPurger(...none: readonly []): Purger {
    if (none.length > 0) {
      throw new ConfigurationError(
        "startPurger takes no argument. Write createSessions({ purgeInterval: '1h' }) to set how often it purges.",
      )
    }
    const { policy } = this.#context
    const purger = startPurger((signal) => this.purge({ signal }), policy.purgeInterval, policy.log)
    const stop = async (): Promise<void> => {
      this.#purgers.delete(purger)
      await purger.stop()
    }
    this.#purgers.add(purger)
    return { stop, [Symbol.asyncDispose]: stop }
  }

  /**
   * Listens to what happens to sessions. Listeners are called after the fact, and what they throw is
   * logged and affects nothing else.
   *
   * @returns A function that ends it.
   * @example
   * ```ts
   * sessions.on('signedIn', ({ userId }) => console.log(`${userId} signed in`))
   * ```
   */
  on<Name extends keyof SessionEvents>(name: Name, listener: SessionListener<Name>): () => void {
    return this.#context.events.on(name, listener)
  }

  /**
   * Tells once when a session ends: destroyed, cleared, revoked, expired, or passed to another user by a
   * sign-in. Whichever process ends it, the news comes at once, or within a second where the database
   * client cannot listen. A new token for the same user ends nothing.
   *
   * All that is watched shares one connection that listens, beside the client's own; it comes with the
   * first watch and goes with `close()`. While it is down, one query each half second asks about all. A
   * session that cannot be asked about counts as live. Watching notes no access, and keeps no process
   * alive.
   *
   * @param watched - A loaded session, which is then watched for the user it belongs to; or the public id
   * of one, watched for whomever it belongs to at the first look.
   * @param onEnd - Called once, at any time after this call. What it throws is logged.
   * @throws {ConfigurationError} The session is not stored, so there is nothing to end.
   * @throws {UnsupportedError} The store cannot tell which sessions live.
   * @example
   * ```ts
   * const watch = sessions.watch(session, () => socket.close(4401))
   * socket.on('close', () => watch.stop())
   * ```
   */
  watch(watched: WatchTarget, onEnd: (end: WatchEndReason) => unknown): SessionWatch {
    return this.#watcher.watch(watched, onEnd)
  }

  /**
   * Ends the work of these sessions: stops purgers, waits for calls in flight, takes no new ones. The
   * database client that was passed in stays open.
   */
  async close(): Promise<void> {
    await Promise.all([...this.#purgers].map((purger) => purger.stop()))
    this.#purgers.clear()
    await this.#watcher.close()
    this.#closing.abort()
    await Promise.allSettled([...this.#background])
    await this.#store.close()
  }
}

/** A request as a whole would read as one without a cookie: every visitor would be a stranger. */
function notCookieHeader(given: unknown): ConfigurationError {
  return new ConfigurationError(
    `sessions.open takes the value of a request's Cookie field, and was given ${shown(given)}. Write sessions.open(request.headers.cookie) in Node, or sessions.open(request.headers.get('cookie')) for a Fetch request; the adapters in docs/frameworks.md do so for you.`,
  )
}
