import type { SchemaError } from '../errors.ts'
import type { Migration } from './migrations/index.ts'
import { altered, foreign, halfMissing, lockedOut } from './schema-errors.ts'
import type { FoundTable, RecordedVersion, Survey } from './survey-tables.ts'
import type { TableNames } from './table-names.ts'

/**
 * Which of our tables are there. `unrecorded`: the session tables are ours, but the table of migrations is
 * missing or empty, as after a restore without its rows; `version` is that of their columns.
 */
export type TablesState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'recorded'; readonly version: number }
  | { readonly kind: 'unrecorded'; readonly version: number }

const MIGRATION_COLUMNS = [
  'version integer',
  'name text',
  'applied_at timestamp with time zone',
] as const

/** Whether the versions have to be read to recognize the tables. */
export function hasOurMigrationTable({ migration }: Survey): boolean {
  return hasColumns(migration, MIGRATION_COLUMNS)
}

/**
 * Recognizes our tables by what the migrations leave there: the columns, and the record of the first
 * migration. Names alone prove nothing, since other libraries also keep a table called `migration`.
 *
 * @param recorded - The rows of the table of migrations; none if it is missing or not ours.
 * @throws {SchemaError} A name is taken by a table that is not ours, or row level security hides the rows.
 */
export function recognizeTables(
  names: TableNames,
  survey: Survey,
  recorded: readonly RecordedVersion[],
  migrations: readonly Migration[],
): TablesState {
  const { migration, session, sessionData } = survey
  const [first] = migrations
  if (migration !== null && !hasOurMigrationTable(survey)) throw foreign(names, 'migration')
  if (recorded.some(({ version, name }) => nameOf(migrations, version, name) !== name)) {
    throw foreign(names, 'migration')
  }
  if (recorded.length > 0) {
    if (recorded[0]?.name !== first?.name) throw foreign(names, 'migration')
    // Dropped since: the migrations run again.
    if (session === null && sessionData === null) return { kind: 'absent' }
    if (session === null) throw halfMissing(names, 'session')
    if (sessionData === null) throw halfMissing(names, 'sessionData')
    const version = recorded.at(-1)?.version ?? 0
    refuseAltered(
      names,
      survey,
      migrations.find((step) => step.version === version),
    )
    refuseLockedOut(names, survey)
    return { kind: 'recorded', version }
  }
  if (session === null && sessionData === null) {
    // The migration leaves the comment and a row. A table without either is someone else's.
    if (migration !== null && migration.comment === null) throw foreign(names, 'migration')
    return { kind: 'absent' }
  }
  const step = migrations.findLast(
    ({ columns }) =>
      hasColumns(session, columns.session) && hasColumns(sessionData, columns.sessionData),
  )
  if (step === undefined) throw foreignOfTwo(names, survey, migrations)
  refuseLockedOut(names, survey)
  return { kind: 'unrecorded', version: step.version }
}

/** The name that a version must have; any name for one of a later release. */
function nameOf(migrations: readonly Migration[], version: number, name: string): string | null {
  const newest = migrations.at(-1)?.version ?? 0
  if (version > newest) return name
  return migrations.find((step) => step.version === version)?.name ?? null
}

function foreignOfTwo(
  names: TableNames,
  { session, sessionData }: Survey,
  migrations: readonly Migration[],
): SchemaError {
  const fits = (found: FoundTable | null, table: 'session' | 'sessionData'): boolean =>
    found === null || migrations.some(({ columns }) => hasColumns(found, columns[table]))
  if (!fits(session, 'session')) return foreign(names, 'session')
  if (!fits(sessionData, 'sessionData')) return foreign(names, 'sessionData')
  return halfMissing(names, session === null ? 'session' : 'sessionData')
}

function hasColumns(found: FoundTable | null, columns: readonly string[]): boolean {
  return found?.kind === 'table' && columns.every((column) => found.columns.includes(column))
}

/** Refuses tables in which a column that the migrations made was dropped, renamed, or given a type that does not work. */
function refuseAltered(names: TableNames, survey: Survey, step: Migration | undefined): void {
  for (const table of ['session', 'sessionData'] as const) {
    const found = new Map(survey[table]?.columns.map(splitColumn))
    for (const [column, type] of step?.columns[table].map(splitColumn) ?? []) {
      const foundType = found.get(column)
      if (foundType === undefined) throw altered(names, table, `it has no column ${column}`)
      if (!fits(foundType, type)) {
        throw altered(names, table, `its column ${column} is ${foundType} instead of ${type}`)
      }
    }
  }
}

function splitColumn(column: string): [name: string, type: string] {
  const at = column.indexOf(' ')
  return [column.slice(0, at), column.slice(at + 1)]
}

/** Whether our statements work on a column of this type. A type that an application has made may do. */
function fits(found: string, type: string): boolean {
  if (found === type || !BUILT_IN.test(found)) return true
  return type === 'text' && /^(?:text|character)\b/.test(found)
}

const BUILT_IN =
  /^(?:uuid|smallint|integer|bigint|numeric|real|double precision|boolean|jsonb?|bytea|date|time|timestamp|interval|xml|inet|text|character)\b/

function refuseLockedOut(names: TableNames, survey: Survey): void {
  for (const table of ['migration', 'session', 'sessionData'] as const) {
    const refused = survey[table]?.refused ?? []
    const needed = refused.filter((command) => table !== 'migration' || command === 'SELECT')
    if (needed.length > 0) throw lockedOut(names, table, needed)
  }
}
