import { CITUS_CATALOG } from './distribution.ts'
import { type Operation, operation } from './operation.ts'
import { list, text } from './parameter-types.ts'
import type { TableNames } from './table-names.ts'

/** A table that has one of our names, ours or not. */
export interface FoundTable {
  readonly kind: 'table' | 'other'
  /** Names and types in their order: `version integer`. */
  readonly columns: readonly string[]
  readonly comment: string | null
  /** Commands that row level security refuses to this role in every row. */
  readonly refused: readonly string[]
}

/** What the catalog says about our names. Null for a name that is free. */
export interface Survey {
  readonly hasSchema: boolean
  /** Whether the database has the extension Citus. */
  readonly hasCitus: boolean
  readonly migration: FoundTable | null
  readonly session: FoundTable | null
  readonly sessionData: FoundTable | null
}

/** Without the quotes that types have under `quote_all_identifiers`. */
const COLUMNS = `
          select string_agg(
            a.attname || ' ' || pg_catalog.replace(pg_catalog.format_type(a.atttypid, a.atttypmod), '"', ''),
            e'\\n' order by a.attnum
          )
          from pg_catalog.pg_attribute as a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`

/** A table with row level security and no permissive policy for a command shows and takes no row. */
const REFUSED = `
          select string_agg(k.command, e'\\n')
          from (
              values ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')
            ) as k (code, command)
          where pg_catalog.row_security_active(c.oid) and not exists (
              select from pg_catalog.pg_policy as p
              where p.polrelid = c.oid and p.polpermissive
                and p.polcmd::text in ('*', k.code)
                and exists (
                  select from pg_catalog.unnest(p.polroles) as r (role)
                  where r.role = 0 or pg_catalog.pg_has_role(r.role, 'usage')
                )
            )`

/**
 * Looks our names up in the catalog. It reads none of the tables, so it also succeeds where they are missing:
 * a statement that fails would end a transaction, and some poolers close the connection.
 */
export const surveyTables: Operation<TableNames, Survey> = operation({
  name: 'survey_tables',
  effect: 'none',
  parameters: { schema: text, names: list(text), citus: text },
  give: ({ raw }: TableNames) => ({
    schema: raw.schema,
    citus: CITUS_CATALOG,
    names: [raw.migration, raw.session, raw.sessionData],
  }),
  sql: ({ schema, names, citus }) => ({
    answer: `
      select w.place, n.oid is not null as has_schema, to_regclass(${citus}) is not null as has_citus, c.relkind in ('r', 'p') as is_table,
        obj_description(c.oid, 'pg_class'::name) as comment,
        (${COLUMNS}) as columns,
        (${REFUSED}) as refused
      from pg_catalog.unnest(${names}) with ordinality as w (name, place)
        left join pg_catalog.pg_namespace as n on n.nspname = ${schema}
        left join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = w.name
      order by w.place`,
  }),
  rows(rows) {
    const [migration = null, session = null, sessionData = null] = rows.map((row) => {
      const isTable = row.booleanOrNull('is_table')
      if (isTable === null) return null
      return {
        kind: isTable ? ('table' as const) : ('other' as const),
        columns: row.textOrNull('columns')?.split('\n') ?? [],
        comment: row.textOrNull('comment'),
        refused: row.textOrNull('refused')?.split('\n') ?? [],
      }
    })
    return {
      hasSchema: rows[0]?.boolean('has_schema') === true,
      hasCitus: rows[0]?.boolean('has_citus') === true,
      migration,
      session,
      sessionData,
    }
  },
})

/** One row of the table of migrations. */
export interface RecordedVersion {
  readonly version: number
  readonly name: string
}

/** Reads which versions of the schema are recorded, the oldest first. */
export function readVersions({
  migration,
}: TableNames): Operation<void, readonly RecordedVersion[]> {
  return operation({
    name: 'read_schema_versions',
    effect: 'none',
    parameters: {},
    give: () => ({}),
    sql: () => ({ answer: `select version, name from ${migration} order by version` }),
    rows: (rows) => rows.map((row) => ({ version: row.number('version'), name: row.text('name') })),
  })
}
