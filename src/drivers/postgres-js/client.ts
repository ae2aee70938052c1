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
}

export type PostgresJsRawRows = readonly (readonly unknown[])[] & {
  readonly columns: readonly { readonly name: string }[]
}

/**
 * Does what `query.cancel()` does, and ties up what that leaves loose. It drops the promise of the
 * cancel request, whose rejection ends the process when the server cannot be reached. And it marks a
 * query that waits for a new connection, which then opens for nobody and is never used again.
 */
export function cancel(query: PostgresJsQueryLike): void {
  query.canceller?.(query).catch(() => {})
  query.canceller = null
  if (query.cancelled === true) query.cancelled = null
}
