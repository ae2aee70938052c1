import { ConfigurationError } from '../errors.ts'
import { type Migration, migrations } from './migrations/index.ts'
import { quoteLiteral, type TableNames } from './table-names.ts'

/** The version of the schema that this release works with. */
export const latestVersion: number = newestVersion(migrations)

export function newestVersion(steps: readonly Migration[]): number {
  return steps.at(-1)?.version ?? 0
}

/** What has to be there before the first migration. */
export function foundationSql(names: TableNames, make: { readonly schema: boolean }): string {
  const createSchema = make.schema ? `create schema if not exists ${names.schema};\n\n` : ''
  return /* sql */ `${createSchema}create table if not exists ${names.migration} (
  version int primary key,
  name text not null,
  applied_at timestamptz not null default now()
);
comment on table ${names.migration} is 'Which versions of the schema are in place.';
`
}

/**
 * One migration with the row that records it. The row comes first: if the migration is in place
 * after all, its key is refused before anything else is touched.
 */
export function stepSql(names: TableNames, step: Migration): string {
  return /* sql */ `insert into ${names.migration} (version, name)
values (${step.version}, ${quoteLiteral(step.name)});

${step.sql(names)}`
}

/** Records versions of tables that are in place. */
export function recordSql(names: TableNames, steps: readonly Migration[], version: number): string {
  const records = steps
    .filter((step) => step.version <= version)
    .map((step) => `(${step.version}, ${quoteLiteral(step.name)})`)
  return `insert into ${names.migration} (version, name) values ${records.join(', ')};`
}

/**
 * The schema as SQL, for a database administrator who applies it by hand: every migration newer
 * than `from` in one transaction, and the rights that the application's own role needs.
 *
 * Running it gives the same tables as `migrate`, which then has nothing left to do.
 *
 * @param options.from - The version that is in place already; 0 for an empty database.
 * @throws {ConfigurationError} `from` is not a version of the schema.
 */
export function schemaSql(names: TableNames, options: { readonly from?: number } = {}): string {
  const { from = 0 } = options
  if (!Number.isInteger(from) || from < 0 || from > latestVersion) {
    throw new ConfigurationError(
      `from: ${from} is not a version of the schema. Write a whole number from 0 (empty database) to ${latestVersion}.`,
    )
  }
  if (from === latestVersion) {
    return `-- Version ${from} is the newest that this release knows. There is nothing to do.\n`
  }
  return [
    `-- The tables of pg-sessions, version ${from} to ${latestVersion}: all of it or, after an error, nothing.\n`,
    'begin;\n',
    ...(from === 0 ? [foundationSql(names, { schema: true })] : []),
    ...migrations
      .filter((step) => step.version > from)
      .map((step) => `-- ${step.version}: ${step.name}\n${stepSql(names, step)}`),
    'commit;\n',
    grantsSql(names),
  ].join('\n')
}

function grantsSql(names: TableNames): string {
  return `-- The application may run as a role that owns nothing. These are all the rights it needs; put its
-- name in the place of app:
--
-- grant usage on schema ${oneLine(names.schema)} to app;
-- grant select, insert, update, delete on ${oneLine(names.session)} to app;
-- grant select, insert, update, delete on ${oneLine(names.sessionData)} to app;
-- grant select on ${oneLine(names.migration)} to app;
`
}

/** Keeps a name with a line break in it inside its comment. */
function oneLine(identifier: string): string {
  return identifier.replaceAll(/\r?\n|\r/g, '\n-- ')
}
