import { type Operation, operation } from '../operation.ts'
import { list, text } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** What the catalog and the statistics say of one of our tables. */
export interface TableFacts {
  readonly table: string
  readonly isUnlogged: boolean
  readonly hasAutovacuum: boolean
  /** Rows, rows that vacuum has still to remove, updates, and those that moved no index entry. */
  readonly rows: number
  readonly deadRows: number
  readonly updates: number
  readonly heapOnlyUpdates: number
  /** Transactions since the oldest row that is not frozen. */
  readonly frozenAge: number
  /** Columns that refuse a row that doesn't name them. */
  readonly demandedColumns: readonly string[]
}

/** An index of one of our tables: its columns, and whether it can be used. */
export interface IndexFacts {
  readonly table: string
  readonly name: string
  readonly columns: readonly string[]
  readonly isUnique: boolean
  readonly isValid: boolean
}

/** A trigger of one of our tables. */
export interface TriggerFacts {
  readonly table: string
  readonly name: string
  /** Whether PostgreSQL made it, for a foreign key. */
  readonly isInternal: boolean
  readonly isEnabled: boolean
}

/** The foreign key that lets entries end with their session, as `pg_get_constraintdef` writes it. */
export interface ForeignKeyFacts {
  readonly table: string
  readonly definition: string
  readonly isValid: boolean
}

type Names = Pick<TableNames, 'session' | 'sessionData'>

/** Each reads by `regclass`, so that a table of the same name elsewhere is not meant. */
const about = {
  effect: 'none',
  parameters: { tables: list(text) },
  give: ({ session, sessionData }: Names) => ({ tables: [session, sessionData] }),
} as const

export const readTables: Operation<Names, readonly TableFacts[]> = operation({
  ...about,
  name: 'doctor_tables',
  sql: ({ tables }) => ({
    answer: `
      select t.name as table_name, c.relpersistence = 'u' as is_unlogged,
        current_setting('autovacuum') = 'on'
          and not coalesce('autovacuum_enabled=false' = any(c.reloptions), false) as has_autovacuum,
        coalesce(s.n_live_tup, 0) as live, coalesce(s.n_dead_tup, 0) as dead,
        coalesce(s.n_tup_upd, 0) as updates, coalesce(s.n_tup_hot_upd, 0) as heap_only,
        case when c.relkind = 'r' then age(c.relfrozenxid) else 0 end as frozen_age,
        (
          select string_agg(a.attname, e'\\n' order by a.attnum)
          from pg_catalog.pg_attribute as a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            and a.attnotnull and not a.atthasdef and a.attidentity = ''
        ) as demanded
      from pg_catalog.unnest(${tables}) as t (name)
        join pg_catalog.pg_class as c on c.oid = t.name::regclass
        left join pg_catalog.pg_stat_all_tables as s on s.relid = c.oid`,
  }),
  rows: (rows) =>
    rows.map((row) => ({
      table: row.text('table_name'),
      isUnlogged: row.boolean('is_unlogged'),
      hasAutovacuum: row.boolean('has_autovacuum'),
      rows: row.number('live'),
      deadRows: row.number('dead'),
      updates: row.number('updates'),
      heapOnlyUpdates: row.number('heap_only'),
      frozenAge: row.number('frozen_age'),
      demandedColumns: row.textOrNull('demanded')?.split('\n') ?? [],
    })),
})

export const readIndexes: Operation<Names, readonly IndexFacts[]> = operation({
  ...about,
  name: 'doctor_indexes',
  sql: ({ tables }) => ({
    answer: `
      select t.name as table_name, c.relname as index_name, i.indisunique as is_unique,
        i.indisvalid and i.indisready as is_valid,
        (
          select string_agg(coalesce(a.attname, ''), e'\\n' order by k.place)
          from pg_catalog.unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
            left join pg_catalog.pg_attribute as a
              on a.attrelid = i.indrelid and a.attnum = k.attnum and k.attnum > 0
        ) as columns
      from pg_catalog.unnest(${tables}) as t (name)
        join pg_catalog.pg_index as i on i.indrelid = t.name::regclass
        join pg_catalog.pg_class as c on c.oid = i.indexrelid`,
  }),
  rows: (rows) =>
    rows.map((row) => ({
      table: row.text('table_name'),
      name: row.text('index_name'),
      columns: row.text('columns').split('\n'),
      isUnique: row.boolean('is_unique'),
      isValid: row.boolean('is_valid'),
    })),
})

export const readTriggers: Operation<Names, readonly TriggerFacts[]> = operation({
  ...about,
  name: 'doctor_triggers',
  sql: ({ tables }) => ({
    answer: `
      select t.name as table_name, g.tgname as trigger_name, g.tgisinternal as is_internal,
        g.tgenabled in ('O', 'A') as is_enabled
      from pg_catalog.unnest(${tables}) as t (name)
        join pg_catalog.pg_trigger as g on g.tgrelid = t.name::regclass`,
  }),
  rows: (rows) =>
    rows.map((row) => ({
      table: row.text('table_name'),
      name: row.text('trigger_name'),
      isInternal: row.boolean('is_internal'),
      isEnabled: row.boolean('is_enabled'),
    })),
})

export const readForeignKeys: Operation<Names, readonly ForeignKeyFacts[]> = operation({
  ...about,
  name: 'doctor_foreign_keys',
  sql: ({ tables }) => ({
    answer: `
      select t.name as table_name, pg_get_constraintdef(k.oid) as definition, k.convalidated as is_valid
      from pg_catalog.unnest(${tables}) as t (name)
        join pg_catalog.pg_constraint as k on k.conrelid = t.name::regclass and k.contype = 'f'`,
  }),
  rows: (rows) =>
    rows.map((row) => ({
      table: row.text('table_name'),
      definition: row.text('definition'),
      isValid: row.boolean('is_valid'),
    })),
})
