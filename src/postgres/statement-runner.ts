import { StoreUnavailableError } from '../errors.ts'
import type { Driver, Row, Statement } from './driver.ts'
import { classifyDatabaseError, isRetryable } from './sql-state.ts'

/** How a statement may be treated when it fails. */
export interface RunOptions {
  /** Whether sending it again is harmless although it may have been applied. */
  readonly repeatable: boolean
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
  readonly #driver: Driver
  readonly #deadline: number

  /** @param deadline - Milliseconds. */
  constructor(driver: Driver, deadline: number) {
    this.#driver = driver
    this.#deadline = deadline
  }

  /**
   * @throws {StoreUnavailableError} The database did not answer before the deadline, or cannot be asked.
   * @throws {SchemaError} The tables are missing.
   * @throws {StoreError} The database refused the statement.
   */
  async run(statement: Statement, options: RunOptions): Promise<readonly Row[]> {
    const endsAt = performance.now() + this.#deadline
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(statement, Math.max(1, endsAt - performance.now()))
      } catch (error) {
        const kind = isRetryable(error)
        const again = kind === 'safe' || (kind === 'unknown' && options.repeatable)
        const pause = 2 ** attempt * (5 + 10 * Math.random())
        if (!again || attempt === ATTEMPTS || performance.now() + pause >= endsAt) {
          throw classifyDatabaseError(error, statement)
        }
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
  }

  #attempt(statement: Statement, timeout: number): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      // A driver may not be able to give up by itself: waiting for a free connection, say.
      const timer = setTimeout(() => {
        reject(
          new StoreUnavailableError(
            `The database did not answer within ${this.#deadline} ms (statement '${statement.name}'). Whether a change was applied is not known.`,
            'unknown',
            { statement: statement.name },
          ),
        )
      }, timeout)
      this.#driver
        .query(statement, { timeout })
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }
}
