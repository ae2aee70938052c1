/** What is used here of peers without types of their own. */
declare module 'connect-pg-simple' {
  import type { Store } from 'express-session'
  import type { Pool } from 'pg'

  export default function connectPgSimple(
    session: unknown,
  ): new (options: {
    pool: Pool
    tableName: string
    pruneSessionInterval: false | number
  }) => Store
}

declare module 'autocannon' {
  interface Request {
    readonly method: string
    readonly headers?: Readonly<Record<string, string>>
  }

  interface Result {
    readonly errors: number
    readonly timeouts: number
    readonly non2xx: number
    readonly mismatches: number
    readonly '2xx': number
    readonly latency: { readonly p50: number; readonly p99: number }
  }

  export default function autocannon(options: {
    url: string
    connections: number
    amount?: number
    duration?: number
    sampleInt: number
    expectBody: string
    setupClient(client: { setRequests(requests: readonly Request[]): void }): void
  }): Promise<Result>
}
