/**
 * The seam between this package and a PostgreSQL client: text in, text out.
 *
 * Every parameter is a string or null, and every column of every answer is a string or null, since
 * each statement casts both ways itself. So no client's type parsers, date handling or binary
 * formats can change what a session holds, and a driver for another client is a dozen lines.
 */

/** One SQL statement with its parameters. */
export interface Statement {
  /** Names the statement in errors and, where prepared statements are on, on the server. */
  readonly name: string
  /** SQL with `$1`-style parameters. The same name always has the same text on one driver. */
  readonly text: string
  readonly values: readonly (string | null)[]
}

/** One row of an answer, by column name. */
export type Row = Readonly<Record<string, string | null>>

/** Bounds one call. */
export interface QueryOptions {
  /**
   * Milliseconds, waiting for a connection included, after which the call rejects whatever the server
   * does. A driver that can cancel the statement or discard the connection then does so. No other call
   * keeps the time: a driver that waits longer makes its callers wait.
   */
  readonly timeout: number
  /**
   * Throws if these rows are not the answer to this statement. A driver calls it before it uses the
   * connection again. If it throws, the driver discards that connection, or never uses it again if it
   * cannot be replaced, and rejects with the error that was thrown.
   */
  readonly check?: (rows: readonly Row[]) => void
  /** `false` sends this statement without a name on the server, whatever the driver does otherwise. */
  readonly prepare?: false
}

/** What an error of a client means. */
export interface ErrorExplanation {
  /** `none` if the statement surely had no effect, for example because it was never sent. */
  readonly outcome: 'none' | 'unknown'
  /**
   * `unreachable`: no connection, trying again may help. `lost`: the connection broke. `late`: no answer in
   * time. `refused`: the server does not let this client in. `misconfigured`: a setting is wrong. The last
   * two are not tried again.
   */
  readonly kind: 'unreachable' | 'lost' | 'late' | 'refused' | 'misconfigured'
  /** The reason in the words of the client or the server. It is shown: no values, passwords or addresses with one. */
  readonly reason: string
  /** An SQLSTATE, or a code of Node's or the client's. */
  readonly code?: string
  /** Host, port and database. */
  readonly server?: string
  /** What to do about it, as a sentence. */
  readonly advice?: string
}

/** One connection of a database, for as long as `withConnection` lends it. */
export interface Connection {
  query(statement: Statement, options: QueryOptions): Promise<readonly Row[]>
  /**
   * Runs several statements separated by semicolons, without parameters or answer, by the simple
   * protocol (migrations).
   */
  run(sql: string): Promise<void>
}

/**
 * A thin wrap of one database client; anyone can implement it.
 *
 * It must reject with the client's own error, with an SQLSTATE in `code` where the server sent one, and say
 * in `explain` what its other errors mean. It must not close the client it was given, and must outlive the
 * death of an idle connection.
 */
export interface Driver {
  /** Names the client in messages: `pg`. */
  readonly name: string
  /**
   * Says what an error means that this driver rejected with. `undefined` leaves it to the SQLSTATE in `code`.
   *
   * An error from before a connection was ready always has the outcome `none`, whatever its words or
   * SQLSTATE are. Without this method the store knows Node's own codes only (`explainNodeError`), and
   * answers every other failure with a `StoreError` that gives no reason.
   */
  explain?(error: unknown): ErrorExplanation | undefined
  /**
   * `false` if it has no connections that last, as over HTTP: `withConnection` always rejects. A store then creates no
   * tables, and cannot limit the sessions of a user. Default: `true`.
   */
  readonly lends?: false
  /**
   * `true` if the database has this connection only, as inside the process: while the application has a transaction open, no
   * other statement runs.
   */
  readonly hasOnlyConnection?: true
  /** Runs one statement on any connection. */
  query(statement: Statement, options: QueryOptions): Promise<readonly Row[]>
  /**
   * Lends one connection exclusively until `use` settles. If `use` rejects, the
   * connection is discarded or left clean: no caller meets a half-finished transaction.
   *
   * @param options - `timeout`: milliseconds after which it stops waiting for a connection and rejects. It
   *   does not bound `use`.
   */
  withConnection<Result>(
    use: (connection: Connection) => Promise<Result>,
    options?: { readonly timeout?: number },
  ): Promise<Result>
  /**
   * Listens for notifications on a connection of its own, which `query` and `withConnection` can do
   * without. Optional: without it, what would be told is asked for now and then.
   *
   * @param channel - Lowercase letters, digits and `_`, at most 63 of them.
   * @param onMessage - Told the payload of each notification from the moment this resolves.
   * @param onLost - Told once when the connection is gone, unless `stop` ended it. It is not made again.
   */
  listen?(
    channel: string,
    onMessage: (payload: string) => void,
    onLost: () => void,
  ): Promise<Listening>
}

/** A connection that listens, until it is lost or stopped. */
export interface Listening {
  /** Ends it. Never rejects, and is harmless to repeat. */
  stop(): Promise<void>
}

/** Codes of Node's sockets when nothing was sent. */
const NEVER_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOTCONN',
])
/** The same when a statement may have reached the server. */
const CUT_OFF: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
])

/**
 * Explains an error of a Node socket by its `code` and `syscall`; undefined for any other error. For use in
 * a driver's `explain`.
 */
export function explainNodeError(error: unknown): ErrorExplanation | undefined {
  const { code, syscall, message, errors } = Object(error) as Record<string, unknown>
  // Node tries every address of a host name and throws all failures as one error.
  if (error instanceof AggregateError && Array.isArray(errors) && errors.length > 0) {
    return explainNodeError(errors[0])
  }
  const shared = {
    reason: typeof message === 'string' ? message : '',
    ...(typeof code === 'string' ? { code } : {}),
  }
  if (syscall === 'connect' || syscall === 'getaddrinfo' || NEVER_SENT.has(code)) {
    return { ...shared, outcome: 'none', kind: 'unreachable' }
  }
  if (code === 'ETIMEDOUT') return { ...shared, outcome: 'unknown', kind: 'late' }
  return CUT_OFF.has(code) ? { ...shared, outcome: 'unknown', kind: 'lost' } : undefined
}
