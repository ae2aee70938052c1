import type { Codec } from '../../codec/codec.ts'
import { StoreError, StoreUnavailableError } from '../../errors.ts'
import type { Driver } from '../../postgres/driver.ts'
import type { Operation } from '../../postgres/operation.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { Entry } from '../../store/session-store.ts'
import { markOf } from '../mark.ts'
import { queryLegacyTable } from '../query-legacy-table.ts'
import { SessionImporter } from '../session-importer.ts'
import { ConnectPgSimpleSource } from './connect-pg-simple-source.ts'
import {
  type Finding,
  type Forgetting,
  findOldSession,
  forgetOldSession,
  type OldSession,
} from './fallback-statements.ts'
import { type OldTable, type OldTableOptions, resolveOldTable } from './old-table.ts'
import type { IdentifySid, ReadUserId } from './read-row.ts'

/** What a {@link ConnectPgSimpleFallback} needs. */
export interface FallbackOptions {
  readonly driver: Driver
  /** Milliseconds that a call may take. */
  readonly deadline: number
  /** Our tables. */
  readonly names: TableNames
  /** Makes our tables usable; cheap when they are. */
  readonly ready: () => Promise<void>
  /** Gives the entries as our tables keep them. */
  readonly seal?: (sessionId: string, entries: readonly Entry[]) => Promise<readonly Entry[]>
  readonly table: OldTableOptions
  readonly identify: IdentifySid
  readonly codec: Codec
  readonly userId: ReadUserId | null
  /** Told of a session that cannot be one here: by its public id, and what is wrong with it. */
  readonly onUnreadable: (id: string | null, problem: string) => void
  /** Milliseconds that a session without a `maxAge` of its own lives from an access. */
  readonly idleTimeout: number
  /** Milliseconds from the move to the absolute deadline; `Infinity` for none. */
  readonly absoluteTimeout: number
}

const DAY = 86_400_000
const TRIES = 8

/**
 * Sessions that are still in the table of connect-pg-simple. Each is moved when its user returns: one
 * statement takes it out there and puts it in here.
 *
 * Of several processes one moves it, and the others wait for that. What the old application writes
 * before is moved as well; what it writes after it, from what it still holds in memory, stays in its
 * table and changes nothing here.
 */
export class ConnectPgSimpleFallback {
  readonly #options: FallbackOptions
  readonly #runner: StatementRunner
  readonly #old: OldTable
  readonly #source: ConnectPgSimpleSource
  readonly #mover: SessionImporter
  readonly #finding: Operation<OldSession, Finding>
  readonly #forgetting: Operation<Forgetting, undefined>

  /** @throws {ConfigurationError} The table's name cannot be one, or there is no such time zone. */
  constructor(options: FallbackOptions) {
    const { driver, deadline, names, identify, codec, userId, idleTimeout } = options
    this.#options = options
    this.#runner = new StatementRunner(driver, deadline)
    this.#old = resolveOldTable(options.table)
    this.#finding = findOldSession(names, this.#old)
    this.#forgetting = forgetOldSession(names, this.#old)
    this.#source = new ConnectPgSimpleSource(this.#old, {
      identify,
      codec,
      userId,
      ttl: idleTimeout,
    })
    const { absoluteTimeout } = options
    this.#mover = new SessionImporter({
      runner: this.#runner,
      names,
      source: this.#source,
      absoluteTimeout,
    })
  }

  /**
   * Moves the session of this sid, if it is there, and tells whether it is worth looking for here.
   *
   * @throws {SchemaError} The old table is missing, or is not a table of connect-pg-simple.
   * @throws {StoreUnavailableError} The database did not answer, or others hold the row all the time.
   */
  async adopt(sid: string): Promise<boolean> {
    if (!isText(sid)) return false
    await this.#options.ready()
    const { id } = this.#options.identify(sid)
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const { isHere, row } = await this.#find({ sid, id })
      if (isHere) return true
      if (row === null) return false
      const { content } = this.#source.read(row)
      if (content.status === 'unreadable') {
        this.#options.onUnreadable(content.id, content.problem)
      }
      if (content.status !== 'movable') return false
      const entries = (await this.#options.seal?.(id, content.entries)) ?? content.entries
      const session = { ...content, entries }
      const [outcome] = await this.#ask(() => this.#mover.move([session], 'wait'))
      // Busy: the old application has just saved it, or another process was faster. Known: the other
      // was faster still, or the row is a late one of a session that has ended. Loading it tells.
      if (outcome !== 'busy') return true
    }
    throw new StoreUnavailableError(
      'The session is changed in the old table faster than it can be moved. Nothing was written.',
      'none',
    )
  }

  async #find(session: OldSession): Promise<Finding> {
    try {
      return await this.#ask(() => this.#runner.ask(this.#finding, session))
    } catch (error) {
      if (isNoSuchSid(error)) return { isHere: false, row: null }
      throw error
    }
  }

  /** Ends a session that ends before it was ever moved. Harmless to repeat. */
  async forget(sid: string): Promise<void> {
    if (!isText(sid)) return
    const { identify, idleTimeout, ready } = this.#options
    await ready()
    const ending = { sid, mark: markOf(identify(sid).id), rememberFor: idleTimeout + DAY }
    try {
      await this.#ask(() => this.#runner.ask(this.#forgetting, ending))
    } catch (error) {
      if (!isNoSuchSid(error)) throw error
    }
  }

  #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    return queryLegacyTable(
      ask,
      `The fallback's table ${this.#old.shown} is missing, or has no columns sid, sess and expire with a date as expire. Name it in fallback as it is, or leave fallback out when all sessions have moved.`,
    )
  }
}

/** The column `sid` has a type, such as uuid, of which this sid is not a value: no row there has it. */
function isNoSuchSid(error: unknown): boolean {
  return error instanceof StoreError && NO_VALUE.has(error.sqlState ?? '')
}

/** Not written as the type is; too long for it; out of its range. */
const NO_VALUE: ReadonlySet<string> = new Set(['22P02', '22001', '22003'])

/** PostgreSQL's text holds neither NUL nor lone surrogates, so no row there has such a sid. */
function isText(sid: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(sid)
}
