import { type Outcome, StoreUnavailableError } from '../errors.ts'
import { Deadline } from '../store/deadline.ts'
import type { Driver, Row, Statement } from './driver.ts'
import { classifyDatabaseError, isRetryable } from './sql-state.ts'

/** How a statement may be treated when it fails. */
export interface RunOptions {
  /** Whether sending it again is harmless although it may have been applied. */
  readonly repeatable: boolean
  /** When the answer is no longer wanted. Default: a budget of the runner's own from now. */
  readonly deadline?: Deadline | undefined
}

const ATTEMPTS = 3

/**
 * Runs statements within a deadline, and again when that is safe.
 *
 * The deadline bounds everything together: waiting for a connection, the answer, and repeats. A failure
 * that surely applied nothing (a refused connection, a deadlock) is repeated; one that may have applied
 * something only if the statement can be repeated without harm.
 */
export class StatementRunner {
  /** Milliseconds. */
  readonly deadline: number
  readonly #driver: Driver

  constructor(driver: Driver, deadline: number) {
    this.#driver = driver
    this.deadline = deadline
  }

  /** Begins the budget of a call that has none of its own. */
  begin(): Deadline {
    return new Deadline(this.deadline)
  }

  /**
   * @throws {StoreUnavailableError} The database did not answer before the deadline, or cannot be asked.
   * @throws {SchemaError} The tables are missing.
   * @throws {StoreError} The database refused the statement.
   */
  async run(statement: Statement, options: RunOptions): Promise<readonly Row[]> {
    const deadline = options.deadline ?? this.begin()
    for (let attempt = 1; ; attempt++) {
      const timeout = Math.ceil(deadline.left())
      if (timeout === 0 && attempt === 1) throw timedOut(statement, deadline.duration, 'none')
      try {
        return await this.#driver.query(statement, { timeout: Math.max(1, timeout) })
      } catch (error) {
        const kind = isRetryable(error)
        const again = kind === 'safe' || (kind === 'unknown' && options.repeatable)
        const pause = 2 ** attempt * (5 + 10 * Math.random())
        if (!again || attempt === ATTEMPTS || pause >= deadline.left()) {
          throw classifyDatabaseError(error, statement)
        }
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
  }
}

/** The error of a call whose deadline, in milliseconds, has passed. */
export function timedOut(
  statement: Pick<Statement, 'name'>,
  deadline: number,
  outcome: Outcome,
): StoreUnavailableError {
  const consequence =
    outcome === 'none' ? 'Nothing was written.' : 'Whether a change was applied is not known.'
  return new StoreUnavailableError(
    `The database did not answer within ${deadline} ms (statement '${statement.name}'). ${consequence}`,
    outcome,
    { statement: statement.name },
  )
}
