import { checkedId, checkedIds, type ExceptOptions, type SessionOwner } from './named-sessions.ts'
import type { SessionContext } from './session/session-context.ts'
import { checkTag } from './session/session-tags.ts'
import type { InTransaction, StoreTransaction } from './store/session-store.ts'
import { checkUserId, isUserId } from './store/user-id.ts'

/**
 * Ends sessions in a transaction that your application has begun: made by `sessions.in`.
 *
 * Each call is one statement on your connection, or two if your client does not tell whether its transaction is still open.
 * The sessions end when you commit, and live on when you roll
 * back. `sessions.watch` and the event `destroyed` tell of it after the commit.
 *
 * No statement is sent again, and none has a deadline of its own. A call rejects with your client's own error, or with a
 * `StoreError` if the transaction does not see a session that should end: roll back, as after an error of your own statements.
 */
export class SessionsInTransaction {
  readonly #context: SessionContext
  readonly #store: StoreTransaction
  readonly #closing: AbortSignal

  /** @internal */
  constructor(context: SessionContext, store: StoreTransaction, closing: AbortSignal) {
    this.#context = context
    this.#store = store
    this.#closing = closing
  }

  /**
   * Ends a user's sessions.
   *
   * @param options.except - The public id of a session to keep, or several.
   * @returns How many live sessions end with the commit.
   * @throws {ConfigurationError} The client says that no transaction is open. Nothing was sent.
   * @example
   * ```ts
   * const client = await pool.connect()
   * await client.query('begin')
   * await client.query('update account set password_hash = $2 where id = $1', ['ann', passwordHash])
   * await sessions.in(client).destroyByUser('ann')
   * await client.query('commit')
   * ```
   */
  async destroyByUser(userId: string, options: ExceptOptions = {}): Promise<number> {
    checkUserId('destroyByUser', userId)
    const done = await this.#store.destroyByUser(userId, checkedIds('except', options.except))
    this.#announceOnceCommitted(done, () => userId)
    return done.answer.length
  }

  /**
   * Ends the sessions with a tag.
   *
   * @param options.except - The public id of a session to keep, or several.
   * @returns How many live sessions end with the commit.
   * @throws {ConfigurationError} The client says that no transaction is open. Nothing was sent.
   * @example
   * ```ts
   * const client = await pool.connect()
   * await client.query('begin')
   * await client.query('delete from tenant where id = $1', [7])
   * await sessions.in(client).destroyByTag('tenant:7')
   * await client.query('commit')
   * ```
   */
  async destroyByTag(tag: string, options: ExceptOptions = {}): Promise<number> {
    checkTag('destroyByTag', tag)
    const done = await this.#store.destroyByTag(tag, checkedIds('except', options.except))
    const users = new Map(done.answer.map(({ id, userId }) => [id, userId]))
    this.#announceOnceCommitted(done, (id) => users.get(id) ?? null)
    return done.answer.length
  }

  /**
   * Ends the session with this public id.
   *
   * @param owner - Ends the session only if it belongs to this user, as `sessions.destroyById` does.
   * @returns Whether a live session ends with the commit.
   * @throws {ConfigurationError} The client says that no transaction is open. Nothing was sent.
   */
  async destroyById(id: string, owner?: SessionOwner): Promise<boolean> {
    const sessionId = checkedId('destroyById', id)
    if (owner !== undefined && !isUserId(owner?.userId)) return false
    const named = typeof owner?.userId === 'string' ? { owner: owner.userId } : {}
    const done = await this.#store.destroy({ id: sessionId, ...named })
    if (done.answer.status !== 'ended') return false
    const { userId } = done.answer
    this.#announceOnceCommitted(done, () => userId)
    return true
  }

  /** Asks the database about the transaction only if someone listens. */
  #announceOnceCommitted(
    { settled }: InTransaction<unknown>,
    userOf: (id: string) => string | null,
  ): void {
    const { events, inBackground } = this.#context
    if (!events.isHeard('destroyed')) return
    const work = settled(this.#closing).then((ended) => {
      for (const sessionId of ended) {
        events.emit('destroyed', { sessionId, userId: userOf(sessionId) })
      }
    })
    inBackground(work)
  }
}
