import { adviceForClient, whatWasGiven } from '../options/known-clients.ts'
import { flag } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import type { Driver } from '../postgres/driver.ts'
import { requestCheck } from './failures/other-request.ts'
import type { PgOptions } from './pg/client.ts'
import { explainPgErrors, serverOfPool } from './pg/failures.ts'
import { listenBeside, listeningOptions } from './pg/listen.ts'
import { followNewClients, type PgPoolLike, surviveErrors } from './pg/pool.ts'
import { lendClient } from './pg/pool-loan.ts'
import { askPool, type BoundedPool } from './pg/pool-statement.ts'
import { ReadOnlyServer } from './waiting/read-only-server.ts'
import { Turns } from './waiting/turns.ts'

export type { PgClientLike, PgOptions, PgQuery } from './pg/client.ts'
export { EncodingChangedError } from './pg/client-encoding.ts'
export type { PgListeningClientLike } from './pg/listen.ts'
export { type KnexLike, knexPool, type SequelizeLike, sequelizePool } from './pg/orm-pool.ts'
export { InTransactionError, type PgPoolClientLike, type PgPoolLike } from './pg/pool.ts'
export {
  ConnectionEndedError,
  fromPgClient,
  NotConnectedError,
} from './pg/single-connection.ts'
export { DeadlineError } from './waiting/deadline.ts'
export { TransactionOpenError } from './waiting/transaction-open.ts'
export { CrowdedError } from './waiting/turns.ts'
export { ConnectionSpoiltError } from './waiting/wrong-answer.ts'

/**
 * Makes a driver of a `pg.Pool`.
 *
 * The pool stays yours: it is never closed, its other users are not affected, and your type parsers
 * do not reach what sessions hold. A client that timed out or lost step with the server is
 * destroyed, never put back; so is one that comes inside a transaction the application left open, and
 * every older one once the server has turned out to be read-only, as after a failover.
 * A statement waits for a free client no longer than for its answer, and at most as many calls as the
 * pool has clients ask it for one at the same time.
 * An idle connection that dies cannot end the process; your own listeners still hear of it.
 * `sessions.watch` listens on a connection of its own, made as the pool makes them and not counted by it.
 *
 * @throws {TypeError} It was given an address, a client, or anything else in the place of a pool.
 * @example
 * ```ts
 * import { Pool } from 'pg'
 * import { createSessions } from 'pg-sessions'
 * import { fromPg } from 'pg-sessions/pg'
 *
 * const pool = new Pool({ connectionString: process.env['DATABASE_URL'] })
 * const sessions = createSessions({ database: fromPg(pool) })
 * ```
 */
export function fromPg(pool: PgPoolLike, options: PgOptions = {}): Driver {
  refuseOtherThanPool(pool)
  const { prepare } = readOptions('fromPg', { prepare: flag(true) }, options)
  const { Client, options: clientOptions } = pool
  surviveErrors(pool)
  followNewClients(pool)
  const bounded = boundedPool(pool)
  const checkRequest = requestCheck('fromPg')
  return {
    name: 'pg',
    explain: explainPgErrors(serverOfPool(pool), clientOptions),
    query(statement, bounds) {
      checkRequest()
      return askPool(bounded, statement, { ...bounds, prepare: bounds.prepare ?? prepare })
    },
    async withConnection(use, { timeout } = {}) {
      checkRequest()
      return lendClient(bounded, { prepare, timeout }, use)
    },
    ...(Client !== undefined &&
      clientOptions !== undefined && {
        listen: (channel, onMessage, onLost) =>
          listenBeside(new Client(listeningOptions(clientOptions)), channel, { onMessage, onLost }),
      }),
  }
}

/** Says which function or class was meant. Never shows what it was given: an address holds a password. */
function refuseOtherThanPool(pool: PgPoolLike): void {
  const { connect, on } = Object(pool) as Partial<PgPoolLike>
  const isPool = typeof connect === 'function' && typeof on === 'function'
  // Some ORMs have a method of that name as well.
  const advice = 'totalCount' in Object(pool) ? undefined : adviceForClient(pool)
  if (!isPool || advice !== undefined) {
    const line = advice ?? `${whatWasGiven(pool)} Write fromPg(new Pool({ connectionString })).`
    throw new TypeError(`fromPg needs a Pool of the package pg. ${line}`)
  }
  if ('connectionParameters' in pool) {
    throw new TypeError(
      'fromPg needs a Pool and was given a Client. Write fromPg(new Pool({ connectionString })), or fromPgClient(client) for a script that has connected one.',
    )
  }
}

const pools = new WeakMap<PgPoolLike, BoundedPool>()

/** The same for all drivers that are made of a pool. */
function boundedPool(pool: PgPoolLike): BoundedPool {
  const { max } = Object(pool.options) as { max?: number }
  const bounded = pools.get(pool) ?? {
    pool,
    turns: new Turns(max ?? 10),
    readOnly: new ReadOnlyServer(),
  }
  pools.set(pool, bounded)
  return bounded
}
