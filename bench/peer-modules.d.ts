/**
 * What is used here of peers without types of their own. Their types from DefinitelyTyped declare
 * `request.session` for all of Express, which is what our own adapter does too.
 */
declare module 'express-session' {
  import type { RequestHandler } from 'express'

  export interface SessionValue {
    cookie: {
      originalMaxAge: number | null
      expires: Date | null
      httpOnly: boolean
      path: string
    }
    [key: string]: unknown
  }

  export interface Store {
    get(sid: string, callback: (error: unknown, value?: SessionValue | null) => void): void
    set(sid: string, value: SessionValue, callback: (error?: unknown) => void): void
    touch(sid: string, value: SessionValue, callback: (error?: unknown) => void): void
    destroy(sid: string, callback: (error?: unknown) => void): void
  }

  interface Session {
    (options: {
      store: Store
      secret: string
      name?: string
      resave: boolean
      saveUninitialized: boolean
      cookie: { maxAge: number }
    }): RequestHandler
    readonly MemoryStore: new () => Store
  }

  const session: Session
  export default session
}

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
