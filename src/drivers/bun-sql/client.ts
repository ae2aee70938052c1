/** What `fromBunSql` needs of a client; every `Bun.SQL` for PostgreSQL has it. */
export interface BunSqlLike {
  /** The client's settings, as Bun has read them. The driver makes its own connections from these. */
  readonly options: object
  /** Bun has it since 1.4. */
  readonly listen?: (
    channel: string,
    onMessage: (payload: string) => void,
    onListening: () => void,
  ) => Promise<unknown>
  close(options?: { timeout?: number }): Promise<unknown>
  end(options?: { timeout?: number }): Promise<unknown>
}

/** The settings of a client, with those that the driver reads. */
export interface BunSqlSettings {
  readonly adapter?: string
  readonly hostname?: string
  readonly port?: number | string
  readonly database?: string
  readonly path?: string
  readonly max?: number
  /** Milliseconds, though Bun takes seconds. */
  readonly idleTimeout?: number
  /** Milliseconds, though Bun takes seconds. */
  readonly connectionTimeout?: number
  readonly prepare?: boolean
  /** Startup parameters, each name and value followed by a NUL. */
  readonly query?: string
  readonly connection?: Readonly<Record<string, string>>
}

/** A query that has been sent, or is about to be. */
export interface BunQuery extends Promise<readonly object[]> {
  simple(): BunQuery
  /** Has the server stop it. */
  cancel(): unknown
}

/** A client of one connection. */
export interface BunClient {
  connect(): Promise<unknown>
  unsafe(text: string, values?: readonly (string | null)[]): BunQuery
  close(options?: { timeout?: number }): Promise<unknown>
}

/** The class `Bun.SQL`; undefined on another runtime. */
export function bunSqlClass(): (new (settings: object) => BunClient) | undefined {
  const { Bun } = globalThis as { Bun?: { SQL?: new (settings: object) => BunClient } }
  return Bun?.SQL
}
