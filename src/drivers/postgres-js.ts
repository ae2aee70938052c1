import type { Driver, QueryOptions, Row, Statement } from '../postgres/driver.ts'
import { listenOn } from './postgres-js/channel.ts'
import {
  cancel,
  type PostgresJsLike,
  type PostgresJsQueryLike,
  type PostgresJsRawRows,
  type PostgresJsReservedLike,
  type PostgresJsSqlLike,
} from './postgres-js/client.ts'
import { Loan } from './postgres-js/loan.ts'
import { within } from './waiting/deadline.ts'

export type * from './postgres-js/client.ts'
export { ConnectionLostError } from './postgres-js/loan.ts'
export { DeadlineError } from './waiting/deadline.ts'

/** What `fromPostgresJs` can be told. */
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
 * The client stays yours: it is never closed, and your types and your `transform` of columns and
 * values do not reach what sessions hold. A statement that times out is cancelled on the server, or
 * taken out of the queue. Postgres.js cannot drop a single connection, so one on which `use` of
 * `withConnection` failed is lent again only after the server has rolled it back. To hear of
 * connections that die while they are lent, it adds to the client's `onclose`. `sessions.watch` uses the
 * one connection beside the others on which postgres.js listens; it ends with the client.
 *
 * @throws {TypeError} It was given something else than a client, or one with a `transform.row`, which would be given
 *   rows that are not meant for it.
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
    throw new TypeError(
      'fromPostgresJs needs a client of postgres.js. Write fromPostgresJs(postgres(url)).',
    )
  }
  const { column, row } = sql.options.transform
  if (row.from) {
    throw new TypeError(
      'fromPostgresJs cannot use a client with transform.row. Give it one of its own: fromPostgresJs(postgres(url)).',
    )
  }
  const plan: Plan = { prepare: options.prepare ?? true, rename: column.from }
  return {
    name: 'postgres-js',
    query: (statement, queryOptions) => ask(sql, statement, plan, queryOptions),
    async withConnection(use) {
      const reserved = await sql.reserve()
      const loan = new Loan(sql)
      let clean = false
      try {
        const result = await use({
          query: (statement, queryOptions) =>
            loan.send(() => ask(reserved, statement, plan, queryOptions)),
          run: (text) => loan.send(() => run(reserved, text)),
        })
        clean = loan.idle
        return result
      } finally {
        if (clean) giveBack(reserved, loan)
        else await cleanUp(reserved, loan)
      }
    },
    listen: (channel, onMessage, onLost) => listenOn(sql, channel, { onMessage, onLost }),
  }
}

interface Plan {
  readonly prepare: boolean
  readonly rename: ((column: string) => string) | undefined
}

function giveBack(reserved: PostgresJsReservedLike, loan: Loan): void {
  loan.end()
  reserved.release()
}

/**
 * Rolls back before the connection is lent again; one that never answers is never lent again.
 *
 * Waits for a connection that was idle until now, since `sql.end()` hangs if it is called while a
 * connection is still reserved. A connection that owes an answer may take long, so nobody waits.
 */
async function cleanUp(reserved: PostgresJsReservedLike, loan: Loan): Promise<void> {
  const { idle } = loan
  const cleaned = loan
    .send(() => run(reserved, 'rollback'))
    .then(
      () => giveBack(reserved, loan),
      () => loan.end(),
    )
  if (idle) await within(PATIENCE, 'read', cleaned).catch(() => {})
}

/** Milliseconds that a rollback may add to a failure. */
const PATIENCE = 1_000

async function run(sql: PostgresJsSqlLike, text: string): Promise<void> {
  await sql.unsafe(text, [], { prepare: false, simple: true }).raw()
}

/** The server infers the type of such a parameter, and postgres.js has no serializer for it. */
const UNKNOWN_TYPE = 705

function ask(
  sql: PostgresJsSqlLike,
  { text, values }: Statement,
  { prepare, rename }: Plan,
  { timeout, check }: QueryOptions,
): Promise<readonly Row[]> {
  const parameters = values.map((value) => sql.typed(value, UNKNOWN_TYPE))
  const query = sql.unsafe(text, parameters, { prepare, simple: false }).raw()
  const answer = query.then(async (raw) => {
    const rows = readRows(raw, text, rename)
    try {
      check?.(rows)
    } catch (problem) {
      await terminate(sql, query)
      throw problem
    }
    return rows
  })
  return within(timeout, 'read', answer, { giveUp: () => cancel(query) })
}

/** Ends the connection that answered a query. Postgres.js itself cannot drop a single one. */
async function terminate(sql: PostgresJsSqlLike, { state }: PostgresJsQueryLike): Promise<void> {
  const pid = Number((state as { readonly pid?: unknown } | undefined)?.pid)
  if (Number.isInteger(pid)) await run(sql, `select pg_terminate_backend(${pid})`).catch(() => {})
}

function readRows(rows: PostgresJsRawRows, text: string, rename: Plan['rename']): readonly Row[] {
  const names = rename ? originalNames(rows, text, rename) : rows.columns.map(({ name }) => name)
  // After a query that failed in the middle of its rows, postgres.js leaves their places in the next answer empty.
  const received = rows.filter(() => true)
  return received.map((cells) =>
    Object.fromEntries(
      names.map((name, index) => [name, cells[index] === null ? null : String(cells[index])]),
    ),
  )
}

/** Postgres.js renames columns before anyone sees them, so find the word that became each name. */
function originalNames(
  { columns }: PostgresJsRawRows,
  text: string,
  rename: (column: string) => string,
): readonly string[] {
  const words = new Map(text.match(/\w+/g)?.map((word) => [rename(word), word]))
  return columns.map(({ name }) => words.get(name) ?? name)
}
