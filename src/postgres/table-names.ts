import { createHash } from 'node:crypto'
import { ConfigurationError } from '../errors.ts'

/** Names of the database schema and of the tables in it, as a user writes them. */
export interface TableNameOptions {
  /**
   * The database schema that holds the tables.
   * @defaultValue `'sessions'`
   */
  readonly schema?: string | undefined
  readonly tables?:
    | {
        /** @defaultValue `'session'` */
        readonly session?: string | undefined
        /** @defaultValue `'session_data'`, or the `session` name with `_data` */
        readonly sessionData?: string | undefined
        /** @defaultValue `'migration'`, or the `session` name with `_migration` if that was chosen */
        readonly migration?: string | undefined
      }
    | undefined
}

/** One name for each thing that the schema's migrations create. */
interface EachName {
  readonly schema: string
  readonly session: string
  readonly sessionData: string
  readonly migration: string
  /** The view with readable keys and values: the `session` name with `_entry`. */
  readonly sessionEntry: string
}

/** Identifiers that stand in SQL as they are: quoted, and (but for the schema) schema-qualified. */
export interface TableNames extends EachName {
  /** The same names unquoted and unqualified, to compare with the catalog and to show. */
  readonly raw: EachName
  /** Whether the tables are spread over several servers, whose SQL takes less. */
  readonly isDistributed?: boolean
}

const DEFAULT_SCHEMA = 'sessions'
const DEFAULT_SESSION = 'session'
const DEFAULT_MIGRATION = 'migration'

/** PostgreSQL cuts longer identifiers off without an error (`NAMEDATALEN - 1`). */
const LONGEST_NAME = 63

/** The indexes of each table, which share one space of names with tables and views. */
const INDEX_SUFFIXES: readonly (readonly [
  table: 'session' | 'sessionData' | 'migration',
  string,
])[] = [
  ['session', 'pkey'],
  ['session', 'purge_at_idx'],
  ['session', 'user_id_idx'],
  ['sessionData', 'pkey'],
  ['migration', 'pkey'],
]

/**
 * Checks and quotes the names of the schema and its tables. Any name PostgreSQL can hold is fine.
 *
 * A `session` name of one's own carries over to the tables that are not named, so that two sets of
 * tables fit in one schema and never share a version.
 *
 * @throws {ConfigurationError} A name is empty, too long, reserved, or used twice.
 */
export function resolveTableNames(options: TableNameOptions = {}): TableNames {
  const { schema = DEFAULT_SCHEMA, tables = {} } = options
  const { session = DEFAULT_SESSION } = tables
  checkSchemaName(schema)
  checkName('tables.session', session)
  const {
    sessionData = derivedName(session, 'data'),
    migration = session === DEFAULT_SESSION
      ? DEFAULT_MIGRATION
      : derivedName(session, DEFAULT_MIGRATION),
  } = tables
  checkName('tables.sessionData', sessionData)
  checkName('tables.migration', migration)
  const sessionEntry = derivedName(session, 'entry')
  const raw: EachName = Object.freeze({ schema, session, sessionData, migration, sessionEntry })
  refuseClashes(raw)
  const qualified = (name: string): string => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
  return Object.freeze({
    schema: quoteIdentifier(schema),
    session: qualified(session),
    sessionData: qualified(sessionData),
    migration: qualified(migration),
    sessionEntry: qualified(sessionEntry),
    raw,
  })
}

/** Writes a name as a quoted SQL identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Writes text as an SQL string literal, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/**
 * The name of something that belongs to a table (index, constraint, view): the table's name and a
 * suffix. A name that would be cut off is shortened here instead, with a hash that keeps it unique.
 */
export function derivedName(table: string, suffix: string): string {
  const name = `${table}_${suffix}`
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name
  const tail = `_${createHash('sha256').update(table).digest('hex').slice(0, 8)}_${suffix}`
  let head = ''
  for (const character of table) {
    if (Buffer.byteLength(head + character + tail) > LONGEST_NAME) break
    head += character
  }
  return head + tail
}

function checkSchemaName(schema: string): void {
  checkName('schema', schema)
  if (/^pg_/.test(schema) || schema === 'information_schema') {
    throw new ConfigurationError(
      `schema: ${show(schema)} is reserved for PostgreSQL itself. Write a name of your own, such as '${DEFAULT_SCHEMA}'.`,
    )
  }
}

function checkName(setting: string, name: unknown): asserts name is string {
  const problem = findProblem(name)
  if (problem !== undefined) {
    throw new ConfigurationError(
      `${setting}: ${problem}. Write a name of 1 to ${LONGEST_NAME} bytes, or leave the setting out for the default.`,
    )
  }
}

function findProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return `a name must be a string, not ${typeof name}`
  if (name === '') return 'a name cannot be empty'
  if (name.includes('\0')) return 'PostgreSQL names cannot hold a NUL character'
  if (/\p{Surrogate}/u.test(name)) return 'a name must be well-formed Unicode'
  const bytes = Buffer.byteLength(name)
  if (bytes > LONGEST_NAME)
    return `${show(name)} has ${bytes} bytes, and PostgreSQL would cut it off`
  return undefined
}

function refuseClashes(raw: EachName): void {
  const users = new Map<string, string>()
  const claim = (name: string, user: string): void => {
    const other = users.get(name)
    if (other !== undefined) {
      throw new ConfigurationError(
        `tables: ${show(name)} would be the name of both ${other} and ${user}. Give each table a name that no other table, index or view of this set has.`,
      )
    }
    users.set(name, user)
  }
  claim(raw.session, 'tables.session')
  claim(raw.sessionData, 'tables.sessionData')
  claim(raw.migration, 'tables.migration')
  claim(raw.sessionEntry, 'the view of readable entries')
  for (const [table, suffix] of INDEX_SUFFIXES) {
    claim(derivedName(raw[table], suffix), `an index of tables.${table}`)
  }
}

function show(name: string): string {
  return `'${name}'`
}
