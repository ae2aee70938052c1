import { type Outcome, StoreUnavailableError } from '../errors.ts'
import { realTime } from '../real-time.ts'
import { Deadline } from '../store/deadline.ts'
import { type OperationMessage, traceStatement } from '../telemetry/channels.ts'
import type { Driver, Row, Statement } from './driver.ts'
import { noteExplanation } from './explanations.ts'
import type { Effect, Operation } from './operation.ts'
import { freshProof } from './proof.ts'
import { classifyDatabaseError, isCollision, isRetryable } from './sql-state.ts'
import { isUnknown } from './unknown-outcome.ts'

const ATTEMPTS = 3
/** Pauses between collisions double up to about 250 ms. */
const MOST_DOUBLINGS = 6

/**
 * Runs statements within a deadline, and again when that is safe.
 *
 * The deadline bounds everything together: waiting for a connection, the answer, and repeats. A failure
 * that surely applied nothing (a refused connection, a lost statement) is repeated twice, and a collision with
 * another transaction, of which one always gets through, until the deadline. One that may have applied something is
 * repeated only if the statement can be repeated without harm. Once an attempt's outcome is unknown, the call's
 * outcome is unknown.
 */
export class StatementRunner {
  /** Milliseconds. */
  readonly deadline: number
  readonly #driver: Driver

  constructor(driver: Driver, deadline: number) {
    this.#driver = driver
    this.deadline = deadline
  }

  /** Whether nothing can be asked while the application has a transaction open. */
  get hasOnlyConnection(): boolean {
    return this.#driver.hasOnlyConnection === true
  }

  /** Begins the budget of a call that has none of its own. */
  begin(): Deadline {
    return new Deadline(this.deadline)
  }

  /**
   * Asks an operation.
   *
   * @param deadline - When the answer is no longer wanted. Default: a budget of the runner's own from now.
   * @param callers - The operations that share it. Default: the one under way.
   * @throws {StoreUnavailableError} The database did not answer before the deadline, or cannot be asked, or
   *   the answer belongs to another call.
   * @throws {SchemaError} The tables are missing.
   * @throws {StoreError} The database refused the statement.
   */
  ask<Call, Answer>(
    operation: Operation<Call, Answer>,
    call: Call,
    deadline: Deadline = this.begin(),
    callers: readonly (OperationMessage | undefined)[] | null = null,
  ): Promise<Answer> {
    const once = async (timeout: number): Promise<Answer> => {
      const proof = freshProof()
      let answer: { readonly value: Answer } | undefined
      const check = (rows: readonly Row[]): void => {
        answer = { value: operation.read(rows, call, proof) }
      }
      const statement = operation.statement(call, proof)
      const rows = await this.#driver.query(statement, { timeout, check })
      // A driver of someone else may not know of the check.
      return answer === undefined ? operation.read(rows, call, proof) : answer.value
    }
    return this.#repeat(operation.effect, operation.prepared, deadline, (timeout, attempt) =>
      traceStatement(operation.name, attempt, callers, () => once(timeout)),
    )
  }

  async #repeat<Answer>(
    effect: Effect,
    statement: Pick<Statement, 'name'>,
    deadline: Deadline,
    attempt: (timeout: number, attempts: number) => Promise<Answer>,
  ): Promise<Answer> {
    let isInDoubt = false
    let failures = 0
    for (let attempts = 1; ; attempts++) {
      const timeout = Math.ceil(deadline.left())
      if (timeout === 0 && attempts === 1) throw timedOut(statement, deadline.duration, 'none')
      try {
        return await attempt(Math.max(1, timeout), attempts)
      } catch (error) {
        noteExplanation(this.#driver, error)
        const kind = isRetryable(error)
        const collides = isCollision(error)
        if (!collides) failures++
        isInDoubt ||= kind === 'unknown' && effect !== 'none'
        const again = kind === 'safe' || (kind === 'unknown' && effect !== 'once')
        const share = collides ? 2 ** Math.min(attempts, MOST_DOUBLINGS) : 2 ** attempts * 3
        const pause = share * (2 + 4 * Math.random())
        if (!again || failures === ATTEMPTS || pause >= deadline.left()) {
          const failure = classifyDatabaseError(error, statement)
          throw isInDoubt ? inDoubt(failure, statement) : failure
        }
        await new Promise((resolve) => realTime.setTimeout(resolve, pause))
      }
    }
  }
}

/** An earlier attempt may have applied what this one surely did not. */
function inDoubt(failure: Error, statement: Pick<Statement, 'name'>): Error {
  if (isUnknown(failure)) return failure
  return new StoreUnavailableError(
    `The database could not be asked again after a connection was lost (statement '${statement.name}'). Whether a change was applied is not known.`,
    'unknown',
    { statement: statement.name, cause: failure },
  )
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
