import { ConfigurationError, UnsupportedError } from './errors.ts'
import { checkedId, checkedIds, type ExceptOptions, type SessionOwner } from './named-sessions.ts'
import { withLiveActors } from './session/actor-liveness.ts'
import { type DestroyAllOptions, destroyAll } from './session/destroy-all.ts'
import { exportUser, type UserExport } from './session/export-user.ts'
import type { SessionContext } from './session/session-context.ts'
import { checkTag } from './session/session-tags.ts'
import { type SessionInfo, sessionInfo } from './session-info.ts'
import { SessionsInTransaction } from './sessions-in-transaction.ts'
import type { SessionStore } from './store/session-store.ts'
import { checkUserId, isUserId } from './store/user-id.ts'

/** Lists and ends sessions across requests: those of a user, with a tag, or all. */
export class SessionsAcrossRequests {
  readonly #context: SessionContext
  readonly #closing: AbortSignal

  /** @internal */
  constructor(context: SessionContext, closing: AbortSignal) {
    this.#context = context
    this.#closing = closing
  }

  get #store(): SessionStore {
    return this.#context.store
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
    const listed = await withLiveActors(this.#store, await this.#store.listByUser(userId))
    return listed.map((summary) => sessionInfo(summary, id))
  }

  /**
   * Lists the live sessions with a tag, of every user, the most recently used first.
   *
   * @throws {UnsupportedError} The store keeps no tags.
   * @example
   * ```ts
   * const { length } = await sessions.listByTag('tenant:7')
   * ```
   */
  async listByTag(tag: string): Promise<SessionInfo[]> {
    checkTag('listByTag', tag)
    const listed = await withLiveActors(this.#store, await this.#tagged('listByTag')(tag))
    return listed.map((summary) => sessionInfo(summary))
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
    if (owner !== undefined && typeof owner !== 'object') {
      throw new ConfigurationError(
        "destroyById takes the owner as an object. Write destroyById(id, { userId: 'ann' }).",
      )
    }
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
  async destroyByUser(userId: string, options: ExceptOptions = {}): Promise<number> {
    checkUserId('destroyByUser', userId)
    const except = checkedIds('except', options.except)
    const ended = await this.#store.destroyByUser(userId, except)
    for (const sessionId of ended) this.#context.events.emit('destroyed', { sessionId, userId })
    return ended.length
  }

  /**
   * Ends the sessions with a tag, of every user: a logout that an identity provider sends, a tenant that is
   * closed, an API key that is revoked.
   *
   * @param options.except - The public id of a session to keep, or several.
   * @returns How many live sessions were ended.
   * @throws {UnsupportedError} The store keeps no tags.
   * @example
   * ```ts
   * await sessions.destroyByTag('tenant:7')
   * ```
   */
  async destroyByTag(tag: string, options: ExceptOptions = {}): Promise<number> {
    checkTag('destroyByTag', tag)
    const except = checkedIds('except', options.except)
    const ended = await this.#tagged('destroyByTag')(tag, except)
    for (const { id: sessionId, userId } of ended) {
      this.#context.events.emit('destroyed', { sessionId, userId })
    }
    return ended.length
  }

  /**
   * Ends sessions in a transaction that your application has begun, so that they end with your commit, or live on
   * after your rollback. `await sessions.ready()` at start, so that no transaction waits for the tables.
   *
   * @param transaction - A connected client of `pg` after `begin`, `sql` of postgres.js' `sql.begin`, the `tx` of
   * PGlite, Drizzle, Prisma, pg-promise or Bun, `trx` of Kysely or Knex, the `manager` or `QueryRunner` of TypeORM, the
   * `em` of MikroORM, the transaction of Sequelize, or a function `(text, values) => rows` that runs a statement in one.
   * @throws {ConfigurationError} It is none of these, or a client that is not in a transaction; says what to write.
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
    return new SessionsInTransaction(this.#context, inTransaction, this.#closing)
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

  #tagged<Name extends 'listByTag' | 'destroyByTag'>(name: Name): NonNullable<SessionStore[Name]> {
    const call = this.#store[name]
    if (call !== undefined) return call
    throw new UnsupportedError(`The store '${this.#store.name}' keeps no tags.`)
  }
}
