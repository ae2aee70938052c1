import type { Driver, QueryOptions, Row, Statement } from '../../postgres/driver.ts'
import { lendConnection } from '../../postgres/lend-connection.ts'
import { timedOut } from '../../postgres/statement-runner.ts'
import { Deadline } from '../../store/deadline.ts'

/**
 * A driver each of whose statements is a transaction that sees one moment, and fails (40001, which is
 * tried again) when what it touches has changed since.
 *
 * A session of wai-session-postgresql is a row with further rows hanging on it. At PostgreSQL's usual
 * level a row that is added after a statement began is not seen by it, and would go with the session's
 * row, unread, by cascade.
 *
 * @see https://www.postgresql.org/docs/current/transaction-iso.html#XACT-REPEATABLE-READ
 */
export function oneMoment(driver: Driver): Driver {
  return {
    name: driver.name,
    withConnection: driver.withConnection.bind(driver),
    query(statement: Statement, { timeout, check }: QueryOptions): Promise<readonly Row[]> {
      const deadline = new Deadline(timeout)
      const inTime = (work: Promise<void>): Promise<void> =>
        deadline.race(work, () => timedOut(statement, timeout, 'unknown'))
      return lendConnection(driver, { timeout, purpose: statement.name }, async (connection) => {
        await inTime(connection.run(beginSql(deadline.left())))
        const left = Math.max(1, deadline.left())
        const rows = await connection.query(statement, { timeout: left, ...(check && { check }) })
        // A driver of someone else may not know of the check, and a wrong answer must not be committed.
        check?.(rows)
        await inTime(connection.run('commit'))
        return rows
      })
    },
  }
}

/**
 * The lock is waited for less long than the answer, so that the server gives up first: a transaction that goes
 * on waiting after its client has left would keep every row of its batch locked.
 */
function beginSql(timeout: number): string {
  const limit = Math.max(1, Math.ceil(timeout * 0.8))
  return `begin isolation level repeatable read; set local lock_timeout = '${limit}ms'`
}
