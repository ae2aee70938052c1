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
 * It must reject with the client's own error (the store classifies it by its SQLSTATE in `code`, or
 * by Node's error code), must not close what it was lent, and must outlive the death of an idle
 * connection.
 */
export interface Driver {
  /** Names the client in messages: `pg`. */
  readonly name: string
  /** Runs one statement on any connection. */
  query(statement: Statement, options: QueryOptions): Promise<readonly Row[]>
  /**
   * Lends one connection exclusively until `use` settles. If `use` rejects, the
   * connection is discarded or left clean: no caller meets a half-finished transaction.
   */
  withConnection<Result>(use: (connection: Connection) => Promise<Result>): Promise<Result>
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
