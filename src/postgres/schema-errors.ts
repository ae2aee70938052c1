import { SchemaError } from '../errors.ts'
import { sqlStateOf } from './sql-state.ts'
import { resolveTableNames, type TableNames } from './table-names.ts'

export function missing(names: TableNames): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_MISSING',
    `The tables in schema '${names.raw.schema}' do not exist yet. ${howToMigrate(names)}`,
  )
}

export function outdated(names: TableNames, found: number, needed: number): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_OUTDATED',
    `The tables in schema '${names.raw.schema}' have version ${found}, and this release needs version ${needed}. ${howToMigrate(names)}`,
  )
}

export function newer(names: TableNames, found: number, known: number): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_NEWER',
    `The tables in schema '${names.raw.schema}' have version ${found}, and this release knows versions up to ${known}. Upgrade the package pg-sessions here to the release that migrated them, or a later one.`,
  )
}

type OwnTable = 'migration' | 'session' | 'sessionData'

/** A table of another program has one of our names. */
export function foreign(names: TableNames, table: OwnTable): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_MISSING',
    `The table '${names.raw[table]}' in schema '${names.raw.schema}' was not made by pg-sessions. Set tables.${table} to a name that is free (${FLAGS[table]} on the command line), or set schema to a schema of its own.`,
  )
}

/** Of our tables only some are left. */
export function halfMissing(names: TableNames, table: OwnTable): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_MISSING',
    `The table '${names.raw[table]}' in schema '${names.raw.schema}' is missing, while the other tables of pg-sessions are there. Restore it, or drop the others to have all of them created again.`,
  )
}

/** A table of ours that no longer has the columns that it was made with. */
export function altered(names: TableNames, table: OwnTable, difference: string): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_OUTDATED',
    `The table '${names.raw[table]}' in schema '${names.raw.schema}' was changed after pg-sessions made it: ${difference}. Undo that change; \`${command(names, 'sql')}\` prints what the table must be.`,
  )
}

/** The session tables are ours, but their version is not recorded. */
export function unrecorded(names: TableNames): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_OUTDATED',
    `The session tables in schema '${names.raw.schema}' are there, but the table '${names.raw.migration}' does not record their version, as after a restore without its rows. ${howToMigrate(names)} That records the version and changes nothing else.`,
  )
}

/** A statement for one server would ask all of them, or be refused. */
export function distributed(names: TableNames): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_DISTRIBUTED',
    `Citus distributes the tables in schema '${names.raw.schema}', and the store's statements are for one server. Write distributed: true where the store is made: createSessions({ database, distributed: true }), or new PostgresStore({ driver, distributed: true }).`,
  )
}

/** Row level security would turn signed-in users into strangers without an error. */
export function lockedOut(
  names: TableNames,
  table: OwnTable,
  commands: readonly string[],
): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_OUTDATED',
    `Row level security on table '${names.raw[table]}' in schema '${names.raw.schema}' has no policy that lets this role ${commands.join(', ')}. Turn it off (alter table ${names[table]} disable row level security), or create a policy for the role.`,
  )
}

const FLAGS: Readonly<Record<OwnTable, string>> = {
  migration: '--migration-table',
  session: '--session-table',
  sessionData: '--session-data-table',
}

/** Says what to do about a migration that the database refused, where something can be done. */
export function explainRefusal(
  names: TableNames,
  found: number,
  error: unknown,
): SchemaError | undefined {
  const code = found === 0 ? 'ERR_SCHEMA_MISSING' : 'ERR_SCHEMA_OUTDATED'
  switch (sqlStateOf(error)) {
    case INSUFFICIENT_PRIVILEGE:
      return new SchemaError(
        code,
        `The database role may not create or change the tables in schema '${names.raw.schema}'. Run \`${command(names, 'migrate')}\` as a role that may, or have an administrator run what \`${command(names, 'sql')}\` prints.`,
      )
    case DUPLICATE_TABLE:
      return new SchemaError(
        code,
        `Schema '${names.raw.schema}' already holds something under a name that pg-sessions needs, and pg-sessions did not make it. Set \`schema\` or \`tables\` to names that are free.`,
      )
    default:
      return undefined
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const INSUFFICIENT_PRIVILEGE = '42501'
const DUPLICATE_TABLE = '42P07'

function howToMigrate(names: TableNames): string {
  return `Run \`${command(names, 'migrate')}\`, or set migrate: 'auto'.`
}

/** The command line that works on these very tables. */
function command(names: TableNames, subcommand: string): string {
  const { schema, session } = resolveTableNames().raw
  const { sessionData, migration } = resolveTableNames({
    tables: { session: names.raw.session },
  }).raw
  const flags = [
    ['--schema', names.raw.schema, schema],
    ['--session-table', names.raw.session, session],
    ['--session-data-table', names.raw.sessionData, sessionData],
    ['--migration-table', names.raw.migration, migration],
  ] as const
  const needed = flags.filter(([, name, usual]) => name !== usual)
  return [
    `npx pg-sessions ${subcommand}`,
    ...needed.map(([flag, name]) => `${flag} ${quoteForShell(name)}`),
  ].join(' ')
}

function quoteForShell(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
