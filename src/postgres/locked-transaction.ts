import { StoreUnavailableError } from '../errors.ts'
import { realTime } from '../real-time.ts'
import type { Deadline } from '../store/deadline.ts'
import { traceStatement } from '../telemetry/channels.ts'
import type { Connection, Driver, Row } from './driver.ts'
import { noteExplanation } from './explanations.ts'
import { lendConnection } from './lend-connection.ts'
import type { Operation } from './operation.ts'
import { freshProof } from './proof.ts'
import { classifyDatabaseError, isCollision, isRetryable } from './sql-state.ts'
import { timedOut } from './statement-runner.ts'

/** Asks an operation within the transaction. */
export type Ask = <Call, Answer>(operation: Operation<Call, Answer>, call: Call) => Promise<Answer>

/** What a transaction has come to, and whether it is to be kept. */
export interface Outcome<Answer> {
  readonly answer: Answer
  readonly keeps: boolean
}

/** How a transaction goes about it. */
interface Terms {
  /** Names it in errors. */
  readonly name: string
  /** The advisory lock that it holds, which makes transactions with the same one take turns. */
  readonly lock: bigint
  readonly deadline: Deadline
}

const ATTEMPTS = 3

/**
 * Runs operations one after the other on one connection, in a transaction that holds an advisory lock. What they read
 * includes what the lock's last holder has committed: the lock is taken by a statement of its own, and under READ
 * COMMITTED each later one sees what was committed before it began.
 *
 * A failure before the commit was sent has no effect: the server rolls back what is left open. Such a one is tried
 * again, within the deadline, if that may help.
 *
 * @throws {StoreUnavailableError} With outcome `unknown` only if the answer to the commit got lost.
 */
export async function inLockedTransaction<Answer>(
  driver: Driver,
  terms: Terms,
  use: (ask: Ask) => Promise<Outcome<Answer>>,
): Promise<Answer> {
  const { name, deadline } = terms
  let failures = 0
  for (let attempt = 1; ; attempt++) {
    const progress = { isCommitting: false }
    const timeout = Math.max(1, Math.ceil(deadline.left()))
    try {
      return await lendConnection(driver, { timeout, purpose: name }, (connection) =>
        runOnce(connection, { ...terms, attempt, progress }, use),
      )
    } catch (error) {
      noteExplanation(driver, error)
      const kind = isRetryable(error)
      const failure = classifyDatabaseError(error, { name })
      if (progress.isCommitting && kind === 'unknown') throw failure
      const pause = 2 ** Math.min(attempt, 5) * (5 + 10 * Math.random())
      if (kind === 'no') throw failure
      // A collision is not a failure of the server: the next attempt has the better chance.
      if (!isCollision(error)) failures++
      if (failures === ATTEMPTS || pause >= deadline.left()) throw withoutEffect(failure, name)
      await new Promise((resolve) => realTime.setTimeout(resolve, pause))
    }
  }
}

interface Attempt extends Terms {
  readonly attempt: number
  readonly progress: { isCommitting: boolean }
}

async function runOnce<Answer>(
  connection: Connection,
  { name, lock, deadline, attempt, progress }: Attempt,
  use: (ask: Ask) => Promise<Outcome<Answer>>,
): Promise<Answer> {
  // Thrown while a connection is lent, a failure makes the driver discard it, which ends the transaction too.
  const run = (sql: string): Promise<void> =>
    deadline.race(connection.run(sql), () => timedOut({ name }, deadline.duration, 'unknown'))
  const ask: Ask = (operation, call) => {
    const proof = freshProof()
    const check = (rows: readonly Row[]): unknown => operation.read(rows, call, proof)
    const timeout = Math.max(1, Math.ceil(deadline.left()))
    return traceStatement(operation.name, attempt, null, async () => {
      const statement = operation.statement(call, proof)
      const rows = await connection.query(statement, { timeout, check, prepare: false })
      return operation.read(rows, call, proof)
    })
  }
  await run(beginSql(deadline.left(), lock))
  const { answer, keeps } = await use(ask)
  progress.isCommitting = keeps
  await run(keeps ? 'commit' : 'rollback')
  return answer
}

/** The server's limits end with the transaction, since the connection may go back to a pool. */
function beginSql(timeout: number, lock: bigint): string {
  const milliseconds = `'${Math.max(1, Math.ceil(timeout))}ms'`
  return /* sql */ `begin isolation level read committed;
set local lock_timeout = ${milliseconds};
set local statement_timeout = ${milliseconds};
set local idle_in_transaction_session_timeout = ${milliseconds};
select pg_advisory_xact_lock(${lock});`
}

/** The transaction was never committed, whatever became of its statements. */
function withoutEffect(failure: Error, name: string): Error {
  if (!(failure instanceof StoreUnavailableError) || failure.outcome === 'none') return failure
  return new StoreUnavailableError(
    `The database did not answer in time, or the connection was lost, before the transaction '${name}' was committed. Nothing was written; trying again later may help.`,
    'none',
    { statement: name, cause: failure },
  )
}
