import type { Row } from '../../postgres/driver.ts'

/** What `fromPglite` passes to PGlite beside a statement. */
export interface PgliteQueryOptions {
  readonly parsers: { [type: number]: (text: string) => string }
  readonly serializers: { [type: number]: (value: unknown) => string }
}

/** What `fromPglite` needs inside a transaction. */
export interface PgliteTransactionLike {
  query(
    text: string,
    values: (string | null)[],
    options: PgliteQueryOptions,
  ): Promise<{ readonly rows: readonly Row[] }>
  exec(sql: string): Promise<unknown>
}

/** What `fromPglite` needs of a database; every `PGlite` has it. */
export interface PgliteLike extends PgliteTransactionLike {
  transaction<Result>(use: (transaction: PgliteTransactionLike) => Promise<Result>): Promise<Result>
  listen(channel: string, onMessage: (payload: string) => void): Promise<() => Promise<void>>
  /** Whether a transaction is open, whichever way it was begun. */
  isInTransaction?(): boolean
}
