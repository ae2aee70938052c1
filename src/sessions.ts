import type { ResolvedCookie } from './cookie/cookie-settings.ts'
import { ConfigurationError, UnsupportedError } from './errors.ts'
import { Exchange, type ResponseLink, type SessionOpener } from './http/exchange.ts'
import { type ResealOptions, type ResealReport, reseal } from './sealing/reseal.ts'
import type { Sealing } from './sealing/sealing.ts'
import { checkedId, checkedIds, type SessionOwner } from './named-sessions.ts'
import { type DestroyAllOptions, destroyAll } from './session/destroy-all.ts'
import { decodeDevice, type DeviceDescription } from './session/device.ts'
import { exportUser, type UserExport } from './session/export-user.ts'
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
import { SessionsInTransaction } from './sessions-in-transaction.ts'
import type { SessionStore, SessionSummary, StoreCounts } from './store/session-store.ts'
import { checkUserId, isUserId } from './store/user-id.ts'

/** What a list of sessions tells of each: nothing in it lets anybody in. */
export interface SessionInfo {
  /** The public id, for `destroyById`. */
  readonly id: string
  readonly userId: string | null
  readonly createdAt: Date
  readonly authenticatedAt: Date | null
  /** The last access that was noted; it may lag by the touch interval. */
  readonly lastAccessAt: Date
  readonly expiresAt: Date
  /** What the sign-in said of its device; null if nothing. */
  readonly device: DeviceDescription | null
  /** Whether it is the session that `listByUser` was told as the current one. */
  readonly isCurrent: boolean
}

/**
 * All sessions of an application: opens them for requests, and lists, ends and purges them across
 * requests. Made by `createSessions`.
 */
export class Sessions<Data extends object = DefaultData> implements SessionOpener<Data> {
  readonly #context: SessionContext
  readonly #cookie: ResolvedCookie
  readonly #background: Set<Promise<unknown>>
  readonly #purgers = new Set<Purger>()
  readonly #watcher: SessionWatcher
  readonly #sealing: Sealing | null
  readonly #closing = new AbortController()

  /** @internal */
  constructor(
    context: SessionContext,
    cookie: ResolvedCookie,
    background: Set<Promise<unknown>>,
    sealing: Sealing | null = null,
  ) {
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

  /** Begins the life of one request's session; see {@link Exchange}. The adapters call it. */
  open(cookieHeader: string | null | undefined, link?: ResponseLink): Exchange<Data> {
    return new Exchange<Data>(this.#context, this.#cookie, cookieHeader, link)
  }

  /**
   * Lists a user's live sessions, the most recently used first: "your devices".
   *
   * @param options.current - The request's session, or its public id, which the list then marks.
   * @example
   * ```ts
   * await session.load()
   * const devices = await sessions.listByUser('ann', { current: session })
   * for (const { device, isCurrent } of devices) console.log(device?.label ?? 'a browser', isCurrent)
   * ```
   */
  async listByUser(
    userId: string,
    options: { readonly current?: string | { readonly id: string | null } | null } = {},
  ): Promise<SessionInfo[]> {
    checkUserId('listByUser', userId)
    const { current } = options
    const id = typeof current === 'string' ? current.toLowerCase() : current?.id
    return (await this.#store.listByUser(userId)).map((summary) => sessionInfo(summary, id))
  }

  /**
   * Ends the session with this public id.
   *
   * @param owner - Ends the session only if it belongs to this user; any other session answers as one that
   * does not exist. Pass it whenever the id comes from a user. An owner whose `userId` is null, as a
   * visitor's `session.userId` is, owns no session. Without an owner, the session of any user is ended.
   * @returns Whether a live session was ended.
   */
  async destroyById(id: string, owner?: SessionOwner): Promise<boolean> {
    const sessionId = checkedId('destroyById', id)
    if (owner !== undefined && !isUserId(owner?.userId)) return false
    const named = typeof owner?.userId === 'string' ? { owner: owner.userId } : {}
    const result = await this.#store.destroy({ id: sessionId, ...named })
    if (result.status !== 'ended') return false
    this.#context.events.emit('destroyed', { sessionId, userId: result.userId })
    return true
  }

  /**
   * Ends a user's sessions: "sign out everywhere".
   *
   * @param options.except - The public id of a session to keep, usually the current one, or several.
   * @returns How many live sessions were ended.
   * @example
   * ```ts
   * await req.session.load()
   * await sessions.destroyByUser('ann', { except: req.session.id })
   * ```
   */
  async destroyByUser(
    userId: string,
    options: { readonly except?: string | readonly string[] | null } = {},
  ): Promise<number> {
    checkUserId('destroyByUser', userId)
    const except = checkedIds('except', options.except)
    const ended = await this.#store.destroyByUser(userId, except)
    for (const sessionId of ended) this.#context.events.emit('destroyed', { sessionId, userId })
    return ended.length
  }

  /**
   * Ends sessions in a transaction that your application has begun, so that they end with your commit, or live on
   * after your rollback. `await sessions.ready()` at start, so that no transaction waits for the tables.
   *
   * @param transaction - A connected client of `pg` after `begin`, `sql` of postgres.js' `sql.begin`, the `tx` of
   * PGlite, Drizzle, Prisma, pg-promise or Bun, `trx` of Kysely or Knex, the `manager` or `QueryRunner` of TypeORM, the
   * `em` of MikroORM, the transaction of Sequelize, or a function `(text, values) => rows` that runs a statement in one.
   * @throws {ConfigurationError} It is none of these, or a client that is in no transaction; says what to write.
   * @throws {UnsupportedError} The sessions do not lie in a database.
   * @example
   * ```ts
   * const client = await pool.connect()
   * await client.query('begin')
   * await client.query('delete from account where id = $1', ['ann'])
   * await sessions.in(client).destroyByUser('ann')
   * await client.query('commit')
   * client.release()
   * ```
   */
  in(transaction: object): SessionsInTransaction {
    const { store } = this.#context
    if (store.inTransaction === undefined) {
      throw new UnsupportedError(
        `The store '${store.name}' takes no part in a transaction of the application's. Sessions of createSessions({ database }) do.`,
      )
    }
    const inTransaction = store.inTransaction(transaction)
    return new SessionsInTransaction(this.#context, inTransaction, this.#closing.signal)
  }

  /**
   * Ends all sessions that began before this call, of every user and visitor, in bounded batches beside live
   * traffic: after a leak, say. Sign-ins that follow are not affected.
   *
   * @returns How many live sessions were ended.
   * @throws {UnsupportedError} The store cannot do it: wai-session-postgresql's tables.
   * @throws {StoreUnavailableError} The store did not answer. What has ended stays ended; call it again.
   * @example
   * ```ts
   * await sessions.destroyAll({ onProgress: (ended) => console.log(`${ended} sessions ended`) })
   * ```
   */
  destroyAll(options?: DestroyAllOptions): Promise<number> {
    const { events } = this.#context
    return destroyAll(this.#store, options, ({ id: sessionId, userId }) =>
      events.emit('destroyed', { sessionId, userId }),
    )
  }

  /**
   * Gives all that is stored of a user, ready for `JSON.stringify`: a subject access request. Tokens' hashes
   * are left out.
   *
   * @throws {UnsupportedError} The store keeps no users.
   * @throws {StoreUnavailableError} The store did not answer.
   * @see GDPR, article 15.
   * @example
   * ```ts
   * res.json(await sessions.exportUser('ann'))
   * ```
   */
  async exportUser(userId: string): Promise<UserExport> {
    checkUserId('exportUser', userId)
    return exportUser(this.#store, this.#context.codec, userId)
  }

  /**
   * Deletes all that is stored of a user, expired sessions included, and ends their live ones. Requests in
   * flight bring nothing back. Calling it again is harmless. Backups, replicas that lag and your own tables
   * are outside of it.
   *
   * @returns How many live sessions were ended.
   * @throws {StoreUnavailableError} The store did not answer. Call it again.
   * @see GDPR, article 17.
   * @example
   * ```ts
   * await sessions.deleteUser('ann')
   * ```
   */
  async deleteUser(userId: string): Promise<number> {
    checkUserId('deleteUser', userId)
    return this.destroyByUser(userId)
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
   * @example
   * ```ts
   * await using purger = sessions.startPurger()
   * ```
   */
  startPurger(): Purger {
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

function sessionInfo(summary: SessionSummary, currentId?: string | null): SessionInfo {
  const { id, userId, authenticatedAt } = summary
  return {
    id,
    userId,
    createdAt: new Date(summary.createdAt),
    authenticatedAt: authenticatedAt === null ? null : new Date(authenticatedAt),
    lastAccessAt: new Date(summary.lastAccessAt),
    expiresAt: new Date(summary.expiresAt),
    device: decodeDevice(summary.device),
    isCurrent: id === currentId,
  }
}
