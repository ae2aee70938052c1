/** The package brings no types; this is what the tests use of it. */
declare module 'connect-pg-simple' {
  import type { Store } from 'express-session'
  import type { Pool } from 'pg'

  interface Options {
    readonly pool?: Pool
    readonly conString?: string
    readonly schemaName?: string
    readonly tableName?: string
    readonly ttl?: number
    readonly createTableIfMissing?: boolean
    readonly disableTouch?: boolean
    readonly pruneSessionInterval?: number | false
    readonly errorLog?: (...words: unknown[]) => void
  }

  /** Makes the store's class for the `express-session` that it is given. */
  function connectPgSimple(session: typeof import('express-session')): new (
    options?: Options,
  ) => Store & {
    pruneSessions(done?: (error?: unknown) => void): void
    close(): void
  }

  export = connectPgSimple
}
