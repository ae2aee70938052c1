/** What `fromPostgresJs` needs of a client; every `postgres()` has it. */
export interface PostgresJsLike {
  /** The client's settings, as postgres.js has read them. The driver makes its own connections from these. */
  readonly options: {
    readonly host: readonly string[]
    readonly port: readonly number[]
    readonly database?: string | undefined
    readonly max?: number | undefined
    readonly idle_timeout?: number | undefined
    onclose: ((connection: number) => void) | undefined
  }
  listen(
    channel: string,
    onMessage: (payload: string) => void,
    onListening: () => void,
  ): Promise<{ unlisten(): Promise<void> }>
  end(options?: { timeout?: number | undefined }): Promise<void>
}

/** The settings of a client, with those that its type does not name. */
export type PostgresJsSettings = PostgresJsLike['options'] & {
  readonly path?: string | false
  readonly keep_alive?: number | null
  readonly onnotice?: (notice: object) => void
  readonly socket?: (options: object) => unknown
  readonly target_session_attrs?: string | null
  readonly connection?: object
  readonly pass?: string | (() => unknown) | null
}
