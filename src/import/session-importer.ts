import type { StatementRunner } from '../postgres/statement-runner.ts'
import type { TableNames } from '../postgres/table-names.ts'
import type { Deadline } from '../store/deadline.ts'
import type { SealMoved } from '../store/session-store.ts'
import type { ImportSource, MovableSession } from './import-source.ts'
import {
  type MoveOperation,
  type MoveOutcome,
  moveOperation,
  rehearseMove,
} from './move-statement.ts'

/** What a {@link SessionImporter} needs. */
export interface MoverOptions {
  readonly runner: StatementRunner
  readonly names: TableNames
  readonly source: ImportSource
  /** Milliseconds from the move to the absolute deadline. Defaults to `Infinity`: none. */
  readonly absoluteTimeout?: number
  /** Moves nothing, and tells what would be moved. Defaults to `false`. */
  readonly dryRun?: boolean
  /** Encrypts the values of sessions that move. Without it they are stored as they are. */
  readonly seal?: SealMoved | undefined
}

/** Sessions as they are to be stored. */
export function sealedSessions(
  sessions: readonly MovableSession[],
  seal: SealMoved | undefined,
  deadline?: Deadline,
): Promise<readonly MovableSession[]> {
  const sealed = async (session: MovableSession): Promise<MovableSession> => ({
    ...session,
    entries: (await seal?.(session.id, session.entries, deadline)) ?? session.entries,
  })
  return Promise.all(sessions.map(sealed))
}

/** Moves sessions from another system's tables to ours, some at a time. */
export class SessionImporter {
  readonly #runner: StatementRunner
  #seal: SealMoved | undefined
  readonly #moves: Readonly<Record<'skip' | 'wait', MoveOperation>>

  constructor(options: MoverOptions) {
    const { runner, names, source, absoluteTimeout = Number.POSITIVE_INFINITY, dryRun } = options
    this.#runner = runner
    this.#seal = options.seal
    const moveBy = (held: 'skip' | 'wait'): MoveOperation =>
      dryRun ? rehearseMove(names) : moveOperation(names, source.claim(held), absoluteTimeout)
    this.#moves = { skip: moveBy('skip'), wait: moveBy('wait') }
  }

  /** Encrypts the values of sessions that move from now on. */
  sealBy(seal: SealMoved): void {
    this.#seal = seal
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
    const sealed = await sealedSessions(sessions, this.#seal, deadline)
    return this.#runner.ask(this.#moves[held], sealed, deadline)
  }
}
