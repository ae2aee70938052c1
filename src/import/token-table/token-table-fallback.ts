import { StoreUnavailableError } from '../../errors.ts'
import type { Driver } from '../../postgres/driver.ts'
import type { Operation } from '../../postgres/operation.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { CallOptions, Deadline } from '../../store/deadline.ts'
import type { SealMoved } from '../../store/session-store.ts'
import type { MovableSession } from '../import-source.ts'
import type { Adoption, MovingFallback } from '../moving-store.ts'
import { queryLegacyTable } from '../query-legacy-table.ts'
import { SessionImporter } from '../session-importer.ts'
import type { OldToken } from './old-tokens.ts'
import type { TokenTable } from './token-table.ts'
import {
  findByToken,
  findByUser,
  forgetAll,
  type OldSessionRow,
  type TokenFinding,
  TokenTableSource,
} from './token-table-source.ts'

/** What a {@link TokenTableFallback} needs. */
export interface TokenTableFallbackOptions {
  readonly driver: Driver
  /** Milliseconds that a call may take. */
  readonly deadline: number
  /** Our tables; they must be there. */
  readonly names: TableNames
  readonly table: TokenTable
  /** Milliseconds from the move to the absolute deadline; `Infinity` for none. */
  readonly absoluteTimeout: number
}

const TRIES = 8

/**
 * Sessions that are still in the table of another library. Each is moved when its user returns, and all of a user
 * before something is asked or ended by user.
 *
 * Of several processes one moves it, and the others wait for that. The other library updates rows and never
 * writes one again, so nothing that has moved or ended comes back.
 */
export class TokenTableFallback implements MovingFallback<OldToken> {
  readonly #runner: StatementRunner
  readonly #table: TokenTable
  readonly #source: TokenTableSource
  readonly #mover: SessionImporter
  readonly #find: Operation<OldToken, TokenFinding>
  readonly #findByUser: Operation<string, readonly OldSessionRow[]>
  readonly #forgetAll: Operation<void, undefined>

  constructor({ driver, deadline, names, table, absoluteTimeout }: TokenTableFallbackOptions) {
    this.#runner = new StatementRunner(driver, deadline)
    this.#table = table
    this.#source = new TokenTableSource(table)
    this.#find = findByToken(names, table)
    this.#findByUser = findByUser(table)
    this.#forgetAll = forgetAll(table)
    this.#mover = new SessionImporter({
      runner: this.#runner,
      names,
      source: this.#source,
      absoluteTimeout,
    })
  }

  /** Encrypts the values of sessions that move from now on. */
  sealBy(seal: SealMoved): void {
    this.#mover.sealBy(seal)
  }

  /**
   * Moves the session of this token, if it is there and alive.
   *
   * @throws {SchemaError} The other library's table is missing, or has other columns.
   * @throws {StoreUnavailableError} The database did not answer, or others hold the row all the time.
   */
  async adopt(token: OldToken, options?: CallOptions): Promise<Adoption> {
    const deadline = options?.deadline ?? this.#runner.begin()
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const { isHere, row } = await this.#ask(() => this.#runner.ask(this.#find, token, deadline))
      if (isHere) return ADOPTED
      if (row === null) return { status: 'absent' }
      const { content } = this.#source.read(row)
      if (content.status === 'unreadable') return { status: 'absent', problem: content.problem }
      if (content.status !== 'movable' || content.id !== token.proof.id) return { status: 'absent' }
      const [outcome] = await this.#move([content], 'wait', deadline)
      // Known: another request was faster, or it has moved before and its row was put back. Loading it tells.
      if (outcome !== 'busy') return ADOPTED
    }
    throw changedTooFast()
  }

  /** Moves all live sessions of a user. */
  async adoptUser(userId: string, options?: CallOptions): Promise<void> {
    const deadline = options?.deadline ?? this.#runner.begin()
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const rows = await this.#ask(() => this.#runner.ask(this.#findByUser, userId, deadline))
      const sessions = rows
        .map((row) => this.#source.read(row).content)
        .filter((content) => content.status === 'movable')
      const outcomes: string[] = []
      // One by one: a batch that waits for rows which another call holds could wait in a circle.
      for (const session of sessions)
        outcomes.push(...(await this.#move([session], 'wait', deadline)))
      if (!outcomes.some((outcome) => outcome !== 'known')) return
    }
    throw changedTooFast()
  }

  /** Ends all sessions that have not moved. */
  async forgetAll(options?: CallOptions): Promise<void> {
    const deadline = options?.deadline ?? this.#runner.begin()
    await this.#ask(() => this.#runner.ask(this.#forgetAll, undefined, deadline))
  }

  #move(sessions: readonly MovableSession[], held: 'wait', deadline: Deadline) {
    return this.#ask(() => this.#mover.move(sessions, held, deadline))
  }

  #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const { system, shown } = this.#table
    return queryLegacyTable(
      ask,
      `The table ${shown} of ${system} is missing, or its columns have other names or types. Set \`table\`, \`tableSchema\` and \`columns\` to what is in the database, or leave the fallback out when all sessions have moved.`,
    )
  }
}

const ADOPTED: Adoption = { status: 'adopted', isFlagged: false, undecodable: [] }

function changedTooFast(): StoreUnavailableError {
  return new StoreUnavailableError(
    'The session is changed in the old table faster than it can be moved. Nothing was written.',
    'none',
  )
}
