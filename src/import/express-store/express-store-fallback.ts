import { type Operation, operation } from '../../postgres/operation.ts'
import { type FindLive, findLive } from '../../postgres/operations/find-sessions.ts'
import { duration, uuid } from '../../postgres/parameter-types.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import { Deadline } from '../../store/deadline.ts'
import type { FallbackOptions } from '../connect-pg-simple/fallback.ts'
import { type RowReading, readRow } from '../connect-pg-simple/read-row.ts'
import { markOf } from '../mark.ts'
import { insertMarks, type MoveOperation, moveOperation } from '../move-statement.ts'
import { CLAIM_ELSEWHERE, DAY, REMEMBERED } from './claim-elsewhere.ts'
import { ExpressStore, type ExpressStoreLike } from './express-store.ts'

/** What an {@link ExpressStoreFallback} needs. */
export interface ExpressStoreFallbackOptions extends Omit<FallbackOptions, 'table'> {
  readonly store: ExpressStoreLike
  /** Told of a session that has moved and could not be removed there. It brings nothing back. */
  readonly onLeftover: (id: string, error: unknown) => void
}

/**
 * Sessions that are still in another store for express-session. Each is moved when its user returns.
 *
 * One statement makes the session here and leaves a mark, and only then is it removed there. Of several requests
 * and processes one makes it. Whatever the other store still holds, or is given late by an old process, brings
 * nothing back while the mark is there: for 90 days, or longer if the session could live longer.
 */
export class ExpressStoreFallback {
  readonly #options: ExpressStoreFallbackOptions
  readonly #runner: StatementRunner
  readonly #store: ExpressStore
  readonly #reading: RowReading
  readonly #moving: MoveOperation
  readonly #findLive: FindLive
  readonly #marking: Operation<{ readonly mark: string; readonly rememberFor: number }, undefined>

  constructor(options: ExpressStoreFallbackOptions) {
    const { driver, deadline, names, identify, codec, userId, idleTimeout } = options
    this.#options = options
    this.#runner = new StatementRunner(driver, deadline)
    this.#store = new ExpressStore(options.store)
    this.#reading = { identify, codec, userId, ttl: idleTimeout }
    this.#moving = moveOperation(names, CLAIM_ELSEWHERE, options.absoluteTimeout)
    this.#marking = markSession(names)
    this.#findLive = findLive(names)
  }

  /**
   * Moves the session of this sid, if it is there, and tells whether it is worth looking for here.
   *
   * @throws {StoreUnavailableError} One of the two did not answer. The session is not lost.
   */
  async adopt(sid: string): Promise<boolean> {
    const { identify, idleTimeout, onUnreadable, ready } = this.#options
    const deadline = this.#runner.begin()
    const { id } = identify(sid)
    const session = await this.#store.get(sid, deadline)
    await ready()
    // Another request may have moved it since this one looked here.
    if (session === null) {
      const finding = this.#findLive.for([id])
      return (await this.#runner.ask(finding, [id], deadline)).length > 0
    }
    const lifetime = maxAgeOf(session) ?? idleTimeout
    // Its user is here now, and what its cookie says may lie behind the accesses that the store has noted.
    const { content } = readRow(
      {
        sid,
        sess: JSON.stringify(session),
        version: String(lifetime),
        deadline: Date.now() + lifetime,
        isLive: true,
      },
      this.#reading,
    )
    if (content.status === 'unreadable') onUnreadable(content.id, content.problem)
    if (content.status !== 'movable') return false
    const rememberFor = Math.max(content.rememberFor, REMEMBERED)
    const entries = (await this.#options.seal?.(id, content.entries)) ?? content.entries
    await this.#runner.ask(this.#moving, [{ ...content, entries, rememberFor }], deadline)
    await this.#remove(sid, id)
    return true
  }

  /** Ends a session that ends before it was ever moved. Harmless to repeat. */
  async forget(sid: string): Promise<void> {
    const { identify, idleTimeout, ready } = this.#options
    const deadline = this.#runner.begin()
    const session = await this.#store.get(sid, deadline)
    if (session === null) return
    await ready()
    const rememberFor = Math.max((maxAgeOf(session) ?? idleTimeout) + DAY, REMEMBERED)
    await this.#runner.ask(this.#marking, { mark: markOf(identify(sid).id), rememberFor }, deadline)
    await this.#store.destroy(sid, deadline)
  }

  async #remove(sid: string, id: string): Promise<void> {
    try {
      await this.#store.destroy(sid, new Deadline(this.#options.deadline))
    } catch (error) {
      this.#options.onLeftover(id, error)
    }
  }
}

/** Milliseconds that the session's cookie asks for; undefined when it lasts as long as the browser. */
function maxAgeOf(session: unknown): number | undefined {
  const { cookie } = Object(session) as { cookie?: unknown }
  const { originalMaxAge } = Object(cookie) as { originalMaxAge?: unknown }
  return typeof originalMaxAge === 'number' && originalMaxAge >= 1 ? originalMaxAge : undefined
}

/** Leaves the mark of a session that ended before it moved, so that nothing brings it here. */
function markSession({
  session,
}: TableNames): Operation<{ readonly mark: string; readonly rememberFor: number }, undefined> {
  return operation({
    name: 'fallback_mark',
    effect: 'idempotent',
    parameters: { mark: uuid, remember: duration },
    give: ({ mark, rememberFor }: { readonly mark: string; readonly rememberFor: number }) => ({
      mark,
      remember: rememberFor,
    }),
    sql: ({ mark, remember }) => ({
      marked: `
        ${insertMarks(session, { id: mark, until: `now() + ${remember}` }, 'from (values (1)) as one')}
        on conflict (id) do nothing
        returning id`,
      answer: 'select id from marked',
    }),
    rows: () => undefined,
  })
}
