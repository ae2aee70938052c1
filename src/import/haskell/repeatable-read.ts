import type { Driver, QueryOptions, Row, Statement } from '../../postgres/driver.ts'
import { lendConnection } from '../../postgres/lend-connection.ts'
import { operation } from '../../postgres/operation.ts'
import { text } from '../../postgres/parameter-types.ts'
import { freshProof } from '../../postgres/proof.ts'

const BEGIN = {
  name: 'pg_sessions_begin',
  text: 'begin isolation level repeatable read',
  values: [],
}
const lockTimeout = operation({
  name: 'lock_timeout',
  effect: 'none',
  parameters: { limit: text },
  give: (limit: string) => ({ limit }),
  sql: ({ limit }) => ({ answer: `select set_config('lock_timeout', ${limit}, true) as done` }),
  rows: () => undefined,
})
const COMMIT = { name: 'pg_sessions_commit', text: 'commit', values: [] }

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
    query(statement: Statement, { timeout }: QueryOptions): Promise<readonly Row[]> {
      const endsAt = performance.now() + timeout
      const left = (): QueryOptions => ({ timeout: Math.max(1, endsAt - performance.now()) })
      return lendConnection(driver, { timeout, purpose: statement.name }, async (connection) => {
        await connection.query(BEGIN, left())
        // Less than the timeout, so that the server gives up first: a transaction that goes on waiting after
        // its client has left would keep every row of its batch locked.
        const limit = `${Math.ceil(left().timeout * 0.8)}ms`
        await connection.query(lockTimeout.statement(limit, freshProof()), left())
        const rows = await connection.query(statement, left())
        await connection.query(COMMIT, left())
        return rows
      })
    },
  }
}
