import { ConfigurationError } from '../../errors.ts'
import { formatDuration } from '../../options/duration.ts'
import { quoteIdentifier } from '../../postgres/table-names.ts'
import { deadlineOf, isName } from '../connect-pg-simple/old-table.ts'
import type { OldTokens } from './old-tokens.ts'

/** Where a library that keeps one row for each session has its table. */
export interface TokenTableOptions {
  /** Names the library in messages. */
  readonly system: string
  readonly table: string
  /** Found on the search path if left out. */
  readonly schema?: string | undefined
  readonly columns: TokenColumns
  readonly tokens: OldTokens
  /** Milliseconds from the creation to the end, where no column holds the end. */
  readonly lifetime?: number | undefined
}

/** The names of its columns. */
export interface TokenColumns {
  /** Names the row: the token, or its hash, or an id beside a hash. */
  readonly token: string
  /** The hash beside an id, of type bytea. */
  readonly secretHash?: string | undefined
  readonly userId: string
  readonly expiresAt: string
  readonly createdAt?: string | undefined
}

/** Such a table, as SQL names it. */
export interface TokenTable {
  readonly system: string
  readonly tokens: OldTokens
  /** As it stands in SQL. */
  readonly name: string
  /** For messages. */
  readonly shown: string
  /** Expressions over a row `old`. */
  readonly key: string
  readonly userId: string
  readonly secretHash: string
  readonly createdAt: string
  /** Of type timestamptz and never infinite. */
  readonly deadline: string
}

/**
 * Checks and quotes the names of such a table.
 *
 * @throws {ConfigurationError} A name cannot be one, or nothing tells when a session ends.
 */
export function resolveTokenTable(options: TokenTableOptions): TokenTable {
  const { system, table, schema, columns, tokens, lifetime } = options
  const parts = schema === undefined ? [table] : [schema, table]
  const named = Object.values(columns).filter((name) => name !== undefined)
  if (![...parts, ...named].every(isName)) {
    throw new ConfigurationError(
      `The names of ${system}'s table and columns must have 1 to 63 bytes. Write them as they are in the database.`,
    )
  }
  const column = (name: string): string => `old.${quoteIdentifier(name)}`
  const { createdAt, secretHash } = columns
  if (lifetime !== undefined && createdAt === undefined) {
    throw new ConfigurationError(
      `A lifetime of ${formatDuration(lifetime)} counts from the creation of a session. Name the column too: columns: { createdAt: 'created_at' }.`,
    )
  }
  const begin = createdAt === undefined ? 'null::timestamptz' : deadlineOf(column(createdAt), 'UTC')
  return {
    system,
    tokens,
    name: parts.map(quoteIdentifier).join('.'),
    shown: parts.join('.'),
    key: column(columns.token),
    userId: `${column(columns.userId)}::text`,
    secretHash: secretHash === undefined ? 'null::text' : `encode(${column(secretHash)}, 'hex')`,
    createdAt: begin,
    deadline:
      lifetime === undefined
        ? deadlineOf(column(columns.expiresAt), 'UTC')
        : `(${begin} + interval '${Math.round(lifetime)} ms')`,
  }
}
