import type { StatementRunner } from '../postgres/statement-runner.ts'
import type { TableNames } from '../postgres/table-names.ts'
import type { Deadline } from '../store/deadline.ts'
import type { ImportSource, MovableSession } from './import-source.ts'
import { type MoveOutcome, moveStatement, rehearseStatement } from './move-statement.ts'

/** What a {@link SessionImporter} needs. */
export interface MoverOptions {
  readonly runner: StatementRunner
  readonly names: TableNames
  readonly source: ImportSource
  /** Milliseconds from the move to the absolute deadline. Defaults to `Infinity`: none. */
  readonly absoluteTimeout?: number
  /** Moves nothing, and tells what would be moved. Defaults to `false`. */
  readonly dryRun?: boolean
}

/** Moves sessions from another system's tables to ours, some at a time. */
export class SessionImporter {
  readonly #options: MoverOptions

  constructor(options: MoverOptions) {
    this.#options = options
  }

  /**
   * Moves those sessions whose rows are still what was read, in one statement, and tells of each what
   * became of it, in their order.
   *
   * It overwrites nothing and revives nothing, and is harmless to repeat: what has been moved is `known`.
   *
   * @throws {StoreUnavailableError} The database did not answer. All of them are moved, or none.
   */
  async move(
    sessions: readonly MovableSession[],
    held: 'skip' | 'wait' = 'skip',
    deadline?: Deadline,
  ): Promise<readonly MoveOutcome[]> {
    if (sessions.length === 0) return []
    const { runner, names, source, dryRun } = this.#options
    const { absoluteTimeout = Number.POSITIVE_INFINITY } = this.#options
    const statement = dryRun
      ? rehearseStatement(names, sessions)
      : moveStatement(names, source.claim(held), sessions, absoluteTimeout)
    // Sent again after a lost answer it would call moved sessions known; the caller reads them again.
    const rows = await runner.run(statement, { repeatable: false, deadline })
    const outcomes = new Map(rows.map((row) => [Number(row.position), row.outcome]))
    return sessions.map((_, index) => outcomes.get(index + 1) as MoveOutcome)
  }
}
