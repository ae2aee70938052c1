import { adviceForClient, whatWasGiven } from '../options/known-clients.ts'
import { flag } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import type { Driver } from '../postgres/driver.ts'
import { type ClientWords, describeServer, explainWith } from './failures/connection-failure.ts'
import { requestCheck } from './failures/other-request.ts'
import type { PostgresJsLike } from './postgres-js/client.ts'
import { connectionsBeside } from './postgres-js/connections.ts'
import { listenOn } from './waiting/channel.ts'
import { countdown } from './waiting/deadline.ts'

export type { PostgresJsLike } from './postgres-js/client.ts'
export { ClientEndedError } from './postgres-js/connections.ts'
export { ClosedDuringStartupError } from './postgres-js/dialer.ts'
export { ConnectionLostError } from './waiting/connection-lost-error.ts'
export { DeadlineError } from './waiting/deadline.ts'
export { CrowdedError } from './waiting/turns.ts'

/** Options of `fromPostgresJs`. */
export interface PostgresJsOptions {
  /**
   * Whether statements are prepared once per connection. Set to `false` behind a connection pooler
   * that lends connections per transaction and does not track prepared statements, such as
   * PgBouncer before 1.21. The client's own `prepare: false` holds in any case. Default: `true`.
   */
  readonly prepare?: boolean
}

/**
 * Makes a driver of a postgres.js client.
 *
 * The driver sends nothing on your client's connections. Postgres.js pipelines statements, and after a
 * cancelled, repeated or failed statement it can give each answer to the wrong query. So the driver opens
 * connections of its own with your client's settings, at most as many as your client (`max`), and sends
 * one statement at a time on each. Size the server's connection limit for both. They close after
 * `idle_timeout` (60 seconds if your client has none) and end with `sql.end()`. Your types and
 * transformations, and transactions you leave open, do not reach what sessions hold. A statement that times
 * out is cancelled on the server. `sessions.watch` uses the one connection on which your client listens.
 *
 * @throws {TypeError} If `sql` is not a client of postgres.js.
 * @example
 * ```ts
 * import postgres from 'postgres'
 * import { createSessions } from 'pg-sessions'
 * import { fromPostgresJs } from 'pg-sessions/postgres-js'
 *
 * const sql = postgres(process.env['DATABASE_URL'] ?? '')
 * const sessions = createSessions({ database: fromPostgresJs(sql) })
 * ```
 */
export function fromPostgresJs(sql: PostgresJsLike, options: PostgresJsOptions = {}): Driver {
  if (typeof Object(sql).reserve !== 'function') {
    const advice =
      adviceForClient(sql) ?? `${whatWasGiven(sql)} Write fromPostgresJs(postgres(url)).`
    throw new TypeError(`fromPostgresJs needs a client of postgres.js. ${advice}`)
  }
  const connections = connectionsBeside(sql)
  const checkRequest = requestCheck('fromPostgresJs')
  const { prepare } = readOptions('fromPostgresJs', { prepare: flag(true) }, options)
  const { host, port, database } = sql.options
  const surroundings = {
    server: describeServer(host.join(','), port[0], database),
    startupOption: 'the `connection` option of your client',
  }
  return {
    name: 'postgres-js',
    explain: explainWith(WORDS, () => surroundings),
    async query(statement, { timeout, ...bounds }) {
      checkRequest()
      const left = countdown(timeout)
      return await connections.lend(timeout, (connection) =>
        connection.ask(statement, {
          ...bounds,
          prepare: bounds.prepare ?? prepare,
          timeout: left(),
        }),
      )
    },
    async withConnection(use, { timeout } = {}) {
      checkRequest()
      return connections.lend(timeout, async (connection) => {
        try {
          return await use({
            query: (statement, bounds) =>
              connection.ask(statement, { ...bounds, prepare: bounds.prepare ?? prepare }),
            run: (text) => connection.run(text),
          })
        } catch (error) {
          connection.discard(error)
          throw error
        }
      })
    },
    listen: (channel, onMessage, onLost) => listenOn(sql, channel, { onMessage, onLost }),
  }
}

const WORDS: ClientWords = {
  neverSent: new Set(['CONNECT_TIMEOUT', 'CONNECTION_ENDED']),
  cutOff: new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED']),
}
