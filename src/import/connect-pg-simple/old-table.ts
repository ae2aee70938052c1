import { ConfigurationError } from '../../errors.ts'
import { quoteIdentifier, quoteLiteral } from '../../postgres/table-names.ts'

/** Where a table of connect-pg-simple is, and in which zone its times are written. */
export interface OldTableOptions {
  /** @defaultValue `'session'`, as connect-pg-simple has it */
  readonly table?: string | undefined
  /** The database schema of the table. By default the table is found on the search path. */
  readonly schema?: string | undefined
  /**
   * The time zone in which `expire` is written: `'America/New_York'`. The column holds no zone, and
   * connect-pg-simple writes it in the zone of its own connections, so by default that of ours is taken,
   * which is the same unless a client, role or setting differs. In the hour that the end of summer time
   * repeats, a deadline may be read an hour off.
   */
  readonly timeZone?: string | undefined
}

/** A table of connect-pg-simple, as SQL names it. */
export interface OldTable {
  /** As it stands in SQL. */
  readonly name: string
  /** As it was written, for messages. */
  readonly shown: string
  /** An expression for the deadline of a row `old`, of type timestamptz and never infinite. */
  readonly deadline: string
  /** Turns text into a value of the column `sid`, whatever its type is, so that its index is used. */
  sid(text: string): string
}

/**
 * Checks and quotes the name of a table of connect-pg-simple.
 *
 * @throws {ConfigurationError} A name cannot be one, or there is no such zone.
 */
export function resolveOldTable(options: OldTableOptions = {}): OldTable {
  const { table = 'session', schema, timeZone } = options
  const parts = schema === undefined ? [table] : [schema, table]
  if (!parts.every(isName)) {
    throw new ConfigurationError(
      "The old table's name and schema must be names of 1 to 63 bytes. Write them as connect-pg-simple has them in tableName and schemaName.",
    )
  }
  const name = parts.map(quoteIdentifier).join('.')
  return {
    name,
    shown: parts.join('.'),
    deadline: deadlineIn(timeZone),
    sid: (text) =>
      `(select (jsonb_populate_record(null::${name}, jsonb_build_object('sid', ${text}))).sid)`,
  }
}

/** Whether PostgreSQL could have such a name. */
export function isName(name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || /[\0\p{Surrogate}]/u.test(name)) return false
  return Buffer.byteLength(name) <= 63
}

/**
 * The column, within dates that each time zone and JavaScript can show. A row may hold `infinity` or a date
 * BC, which say that it never ends or ended long ago. A column that holds no date is refused by its type.
 */
const bounded = (column: string): string =>
  `least(greatest(${column}, timestamp '1970-01-01'), timestamp '9999-12-31')`

/** Some make the column as timestamptz, which says by itself what it means. */
function deadlineIn(timeZone: string | undefined): string {
  if (timeZone === undefined) return `${bounded('old.expire')}::timestamptz`
  if (!isZone(timeZone)) {
    throw new ConfigurationError(
      "timeZone must be the name of a time zone, such as 'UTC' or 'America/New_York'.",
    )
  }
  return deadlineOf('old.expire', timeZone)
}

/** An expression of type timestamptz for a column that holds a date, in this zone if it has none of its own. */
export function deadlineOf(column: string, timeZone: string): string {
  return `case
            when pg_typeof(${column}) = 'timestamptz'::regtype then ${bounded(column)}::timestamptz
            else ${bounded(column)}::timestamp at time zone ${quoteLiteral(timeZone)}
          end`
}

function isZone(timeZone: unknown): timeZone is string {
  try {
    // PostgreSQL would read an offset such as '+02' with the opposite sign.
    return typeof timeZone === 'string' && /^[A-Z]/i.test(timeZone) && isKnown(timeZone)
  } catch {
    return false
  }
}

function isKnown(timeZone: string): boolean {
  return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== ''
}
