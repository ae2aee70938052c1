import type { QueryOptions, Row, Statement } from '../../postgres/driver.ts'
import { nameOn } from './statement-names.ts'

/** What the drivers pass to a client of `pg`. */
export interface PgQuery {
  readonly name?: string
  readonly text: string
  readonly values?: (string | null)[]
  readonly types: { getTypeParser(): (value: unknown) => string }
}

/** What a client of `pg` answers. */
interface PgAnswer {
  readonly rows: readonly Row[]
}

/** What the drivers need of a client of `pg`. */
export interface PgClientLike {
  query(query: PgQuery): Promise<PgAnswer>
  query(query: PgQuery, callback: (error: Error | null, answer: PgAnswer) => void): void
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown
  /** `I` outside a transaction, `T` inside, `E` inside a failed one. Since pg 8.21. */
  getTransactionStatus?(): string | null
  /** What its messages tell: the status before pg 8.21, and the encoding. */
  readonly connection?: object
  /** Where it connects to, for messages. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly database?: string | undefined
}

/** What all drivers for `pg` can be told. */
export interface PgOptions {
  /**
   * Whether statements are prepared once per connection, under their names. Set to `false` behind a
   * connection pooler that lends connections per transaction and does not track prepared
   * statements, such as PgBouncer before 1.21. Default: `true`.
   */
  readonly prepare?: boolean
}

/**
 * Overrules the client's own parsers, for one query. `String` also reads the buffers that a client
 * set to `binary` gives.
 */
const types = { getTypeParser: (): ((value: unknown) => string) => String }

/** A statement as a client takes it. */
export function queryOf(
  client: object,
  { name, text, values }: Statement,
  prepare: boolean,
): PgQuery {
  const query = { text, values: [...values], types }
  return prepare ? { name: nameOn(client, name), ...query } : query
}

/** How `ask` runs a statement; `prepare` is the driver's own setting. */
export type AskOptions = Omit<QueryOptions, 'timeout' | 'prepare'> & { readonly prepare: boolean }

/** Runs one statement and checks its rows. */
export async function ask(
  client: PgClientLike,
  statement: Statement,
  { prepare, check }: AskOptions,
): Promise<readonly Row[]> {
  const { rows } = await client.query(queryOf(client, statement, prepare))
  check?.(rows)
  return rows
}

/** Runs several statements by the simple protocol. */
export async function run(client: PgClientLike, sql: string): Promise<void> {
  await client.query({ text: sql, types })
}
