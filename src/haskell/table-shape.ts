import { SchemaError } from '../errors.ts'
import { onlyRow } from '../postgres/answer-rows.ts'
import type { Driver } from '../postgres/driver.ts'
import { operation } from '../postgres/operation.ts'
import { text } from '../postgres/parameter-types.ts'
import { StatementRunner } from '../postgres/statement-runner.ts'
import type { WaiTableNames } from './wai-table-names.ts'

/** What the catalog says of the original's tables. */
export interface WaiCatalog {
  readonly hasSchema: boolean
  readonly hasTables: boolean
  readonly hasIndex: boolean
  /** How tables of the same names differ from the original's; empty for its own, or none. */
  readonly faults: readonly string[]
}

/**
 * Looks at the original's tables in the catalog. One read.
 *
 * @param timeout - Milliseconds.
 */
export async function readWaiCatalog(
  driver: Driver,
  names: WaiTableNames,
  timeout: number,
): Promise<WaiCatalog> {
  return new StatementRunner(driver, timeout).ask(catalog, names)
}

/** The error for tables that only have the names of the original's. */
export function foreignTables(names: WaiTableNames, faults: readonly string[]): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_OUTDATED',
    `The tables wai_pg_sessions and wai_pg_session_data in schema '${names.rawSchema}' are not those of wai-session-postgresql: ${faults.join('; ')}. Name the schema of the other service's tables.`,
  )
}

/** The columns that are used, by table, with the types that they may have; the first is the original's. */
const COLUMNS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  wai_pg_sessions: {
    id: ['bigint', 'integer'],
    session_key: ['character varying', 'text'],
    session_created_at: ['bigint'],
    session_last_access: ['bigint'],
    session_invalidate_key: ['boolean'],
  },
  wai_pg_session_data: {
    id: ['bigint', 'integer'],
    wai_pg_session: ['bigint', 'integer'],
    key: ['bytea'],
    value: ['bytea'],
  },
}

/** What must be unique, since entries and keys are written by it. */
const UNIQUE: Readonly<Record<string, string>> = {
  wai_pg_sessions: 'session_key',
  wai_pg_session_data: 'wai_pg_session,key',
}

const SEPARATOR = '\n'

const catalog = operation({
  name: 'wai_catalog',
  effect: 'none',
  parameters: { schema: text, sessions: text, data: text, index: text },
  give: ({ schema, sessions, data }: WaiTableNames) => ({
    schema,
    sessions,
    data,
    index: `${schema}.idx_session_last_access`,
  }),
  sql: ({ schema, sessions, data, index }) => ({
    found: `
      select t.name, t.oid
      from (values ('wai_pg_sessions', to_regclass(${sessions})::oid),
        ('wai_pg_session_data', to_regclass(${data})::oid)) as t (name, oid)
      where t.oid is not null`,
    facts: `
      select concat_ws(' ', 'column', f.name, a.attname, replace(format_type(a.atttypid, null), '"', ''),
          case when a.attnotnull and not a.atthasdef and a.attidentity = '' then 'required' end) as fact
      from found f join pg_attribute a on a.attrelid = f.oid
      where a.attnum > 0 and not a.attisdropped
      union all
      select concat_ws(' ', 'unique', f.name, (
          select string_agg(a.attname, ',' order by k.n)
          from pg_catalog.unnest(i.indkey::int2[]) with ordinality as k (attnum, n)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum))
      from found f join pg_index i on i.indrelid = f.oid
      where i.indisunique and i.indpred is null
      union all
      -- The catalog functions see a table before this statement's snapshot does.
      select concat_ws(' ', 'table', f.name) from found f join pg_class c on c.oid = f.oid`,
    answer: `
      select to_regnamespace(${schema}) is not null as schema,
        (select count(*) from found) = 2 as tables,
        to_regclass(${index}) is not null as index,
        coalesce((select string_agg(fact, E'\\n') from facts), '') as facts`,
  }),
  rows(rows): WaiCatalog {
    const row = onlyRow(rows)
    return {
      hasSchema: row.boolean('schema'),
      hasTables: row.boolean('tables'),
      hasIndex: row.boolean('index'),
      faults: faultsOf(row.text('facts').split(SEPARATOR)),
    }
  },
})

function faultsOf(facts: readonly string[]): string[] {
  return Object.entries(COLUMNS)
    .filter(([table]) => facts.includes(`table ${table}`))
    .flatMap(([table, columns]) => [
      ...Object.entries(columns).flatMap(([column, types]) =>
        columnFaults(facts, `${table} ${column}`, types),
      ),
      ...furtherColumns(facts, table, columns),
      ...(facts.includes(`unique ${table} ${UNIQUE[table]}`)
        ? []
        : [`${table} has no unique (${UNIQUE[table]?.replace(',', ', ')})`]),
    ])
}

function columnFaults(
  facts: readonly string[],
  column: string,
  types: readonly string[],
): readonly string[] {
  const start = `column ${column} `
  const fact = facts.find((each) => each.startsWith(start))
  const [table, name] = column.split(' ')
  if (fact === undefined) return [`${table} has no column ${name}`]
  const type = fact.slice(start.length).replace(/ required$/, '')
  return types.includes(type) ? [] : [`${table}.${name} is ${type}, not ${types[0]}`]
}

/** A column that wants a value would refuse every session that is made here. */
function furtherColumns(facts: readonly string[], table: string, known: object): string[] {
  return facts
    .filter((fact) => fact.startsWith(`column ${table} `) && fact.endsWith(' required'))
    .map((fact) => fact.split(' ')[2] as string)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `${table} has a further column ${name} that must have a value`)
}
