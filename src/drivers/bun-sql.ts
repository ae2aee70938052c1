import { adviceForClient, whatWasGiven } from '../options/known-clients.ts'
import type { Driver } from '../postgres/driver.ts'
import { type BunSqlLike, type BunSqlSettings, bunSqlClass } from './bun-sql/client.ts'
import { connectionsBeside } from './bun-sql/connections.ts'
import { type ClientWords, describeServer, explainWith } from './failures/connection-failure.ts'
import { type ListeningClient, listenOn } from './waiting/channel.ts'
import { countdown } from './waiting/deadline.ts'

export type { BunSqlLike } from './bun-sql/client.ts'
export { ClientEndedError } from './bun-sql/connections.ts'
export { ConnectionLostError } from './waiting/connection-lost-error.ts'
export { DeadlineError } from './waiting/deadline.ts'
export { CrowdedError } from './waiting/turns.ts'

/**
 * Makes a driver of a client of Bun's own, `Bun.sql` or `new Bun.SQL(url)`. It works on Bun only.
 *
 * The driver sends nothing on your client's connections. Bun pipelines statements and cannot drop a single
 * connection, which a late or wrong answer calls for. So the driver opens connections of its own with your
 * client's settings, at most as many as your client (`max`), and sends one statement at a time on each. Size
 * the server's connection limit for both. They close after `idleTimeout` (60 seconds if your client has none)
 * and end with `sql.close()`. Transactions you leave open do not reach what sessions hold. A statement that
 * times out is cancelled on the server. `sessions.watch` uses the one connection on which your client listens,
 * and polls on Bun before 1.4, which cannot listen. Behind a pooler that does not track prepared statements,
 * make your client with `prepare: false`.
 *
 * @throws {TypeError} If `sql` is not a client of Bun for PostgreSQL.
 * @example
 * ```js
 * import { SQL } from 'bun'
 * import { createSessions } from 'pg-sessions'
 * import { fromBunSql } from 'pg-sessions/bun-sql'
 *
 * const sql = new SQL(process.env.DATABASE_URL)
 * const sessions = createSessions({ database: fromBunSql(sql) })
 * ```
 */
export function fromBunSql(sql: BunSqlLike): Driver {
  refuseOtherThanClient(sql)
  const connections = connectionsBeside(sql)
  const { listen } = sql
  const { hostname, port, database, path } = sql.options as BunSqlSettings
  const surroundings = {
    server: describeServer(path ?? hostname, Number(port ?? 5432), database),
    startupOption: 'the `connection` option of your client',
  }
  return {
    name: 'bun-sql',
    explain: explainWith(WORDS, () => surroundings),
    async query(statement, { timeout, ...bounds }) {
      const left = countdown(timeout)
      return await connections.lend(timeout, (connection) =>
        connection.ask(statement, { ...bounds, timeout: left() }),
      )
    },
    withConnection: (use, { timeout } = {}) =>
      connections.lend(timeout, async (connection) => {
        try {
          return await use({
            query: (statement, bounds) => connection.ask(statement, bounds),
            run: (text) => connection.run(text),
          })
        } catch (error) {
          connection.discard(error)
          throw error
        }
      }),
    ...(typeof listen === 'function' && {
      listen: (channel, onMessage, onLost) =>
        listenOn(sql as ListeningClient, channel, { onMessage, onLost }),
    }),
  }
}

function refuseOtherThanClient(sql: BunSqlLike): void {
  const { options, beginDistributed } = Object(sql) as Partial<Record<string, unknown>>
  const { adapter = 'postgres' } = Object(options) as BunSqlSettings
  const isClient = typeof beginDistributed === 'function' && bunSqlClass() !== undefined
  if (isClient && adapter === 'postgres') return
  const advice = isClient
    ? `It is a client for ${adapter}. Sessions are kept in PostgreSQL.`
    : (adviceForClient(sql) ?? `${whatWasGiven(sql)} Write fromBunSql(new SQL(url)), on Bun.`)
  throw new TypeError(`fromBunSql needs a client of Bun's SQL. ${advice}`)
}

/** Before a connection is ready nothing was sent, whatever Bun says then. */
const WORDS: ClientWords = {
  neverSent: new Set(['ERR_POSTGRES_CONNECTION_REFUSED', 'ERR_POSTGRES_CONNECTION_TIMEOUT']),
  cutOff: new Set([
    'ERR_POSTGRES_CONNECTION_CLOSED',
    'ERR_POSTGRES_IDLE_TIMEOUT',
    'ERR_POSTGRES_LIFETIME_TIMEOUT',
    'ERR_POSTGRES_QUERY_CANCELLED',
  ]),
}
