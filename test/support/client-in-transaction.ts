import type { ClientBase } from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { fromPgClient, type PgClientLike } from 'pg-sessions/pg'

/**
 * A driver whose calls run inside the transaction that a test has begun on a client. `fromPgClient` refuses that of an
 * application, whose rollback would undo what was acknowledged, so it is told of no transaction here.
 */
export function fromClientInTransaction(client: ClientBase): Driver {
  const outside: PgClientLike = {
    query: client.query.bind(client),
    on: client.on.bind(client),
    getTransactionStatus: () => 'I',
  }
  return fromPgClient(outside)
}
