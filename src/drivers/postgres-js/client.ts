/** What `fromPostgresJs` needs to run statements. */
export interface PostgresJsSqlLike {
  typed(value: string | null, type: number): PostgresJsParameter
  unsafe(
    text: string,
    parameters: PostgresJsParameter[],
    options: { readonly prepare: boolean; readonly simple: boolean },
  ): { raw(): PostgresJsQueryLike }
}

/** A parameter with its type. An alias, because postgres.js takes no interface in its place. */
export type PostgresJsParameter = { type: number; value: string | null }

/** What `fromPostgresJs` needs of a client; every `postgres()` has it. */
export interface PostgresJsLike extends PostgresJsSqlLike {
  readonly options: {
    onclose: ((connection: number) => void) | undefined
    readonly transform: {
      readonly column: { readonly from: ((column: string) => string) | undefined }
      readonly row: { readonly from: unknown }
    }
  }
  reserve(): Promise<PostgresJsReservedLike>
  listen(
    channel: string,
    onMessage: (payload: string) => void,
    onListening: () => void,
  ): Promise<{ unlisten(): Promise<void> }>
}

/** What `fromPostgresJs` needs of a reserved connection. */
export interface PostgresJsReservedLike extends PostgresJsSqlLike {
  release(): void
}

/** A query of postgres.js whose rows meet no parser: one buffer or null per column. */
export interface PostgresJsQueryLike extends Promise<PostgresJsRawRows> {
  /** Private to postgres.js, see `cancel`. */
  canceller?: ((query: PostgresJsQueryLike) => Promise<unknown>) | null
  /** Private to postgres.js, see `cancel`. */
  cancelled?: unknown
  /** Private to postgres.js: set once the query was written to a connection. */
  state?: unknown
  /** Private to postgres.js: whether the connection answers this query now. */
  active?: boolean
}

/** What a query in raw mode resolves with: rows as lists of bytes. */
export type PostgresJsRawRows = readonly (readonly unknown[])[] & {
  readonly columns: readonly { readonly name: string }[]
}

/**
 * Cancels a query that waits in the client's queue, or that the server is executing.
 *
 * A query that is pipelined behind another one is left alone: postgres.js would mark it as cancelled and
 * then give each later query on that connection the answer of the one before it. The query runs, and its
 * answer is dropped.
 *
 * Otherwise this does what `query.cancel()` does, and fixes two of its faults. It handles the rejected
 * promise of the cancel request, which ends the process when the server cannot be reached. And it unmarks
 * a query that waits for a new connection, which then opens and is never used.
 */
export function cancel(query: PostgresJsQueryLike): void {
  const isPipelined = query.state !== undefined && query.state !== null && query.active !== true
  if (isPipelined) return
  query.canceller?.(query).catch(() => {})
  query.canceller = null
  if (query.cancelled === true) query.cancelled = null
}
