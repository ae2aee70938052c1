import type { PurgeFigures, TableFigures } from '../../store/store-inspector.ts'
import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { integer, list, text } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** What decides how large a sample may be, and what it stands for. */
export interface MeasuredTable extends TableFigures {
  /** Blocks of the table now. */
  readonly blocks: number
  /** Rows by the last `analyze`, as many as the blocks it has now would hold; null before the first. */
  readonly estimatedRows: number | null
}

/** Reads sizes from the file system, and the rest from the catalog and the statistics. */
export function readTableFigures(
  names: Pick<TableNames, 'session' | 'sessionData'>,
): Operation<void, readonly MeasuredTable[]> {
  return operation({
    name: 'inspect_tables',
    effect: 'none',
    parameters: { tables: list(text) },
    give: () => ({ tables: [names.session, names.sessionData] }),
    sql: ({ tables }) => ({
      answer: `
        select c.relname as table_name, pg_table_size(c.oid) as bytes,
          pg_relation_size(c.oid) / current_setting('block_size')::int as blocks,
          case when c.reltuples >= 0 and c.relpages > 0
            then c.reltuples::float8 / c.relpages end as rows_in_block,
          coalesce(s.n_live_tup, 0) as live, coalesce(s.n_dead_tup, 0) as dead,
          coalesce(s.n_tup_upd, 0) as updates, coalesce(s.n_tup_hot_upd, 0) as heap_only,
          coalesce(s.n_tup_del, 0) as deletions,
          floor(extract(epoch from greatest(s.last_vacuum, s.last_autovacuum)) * 1000) as vacuumed_at,
          (
            select pg_catalog.json_agg(json_build_object('name', x.relname, 'bytes', pg_relation_size(x.oid)) order by x.relname)
            from pg_catalog.pg_index as i join pg_catalog.pg_class as x on x.oid = i.indexrelid
            where i.indrelid = c.oid
          )::text as indexes
        from pg_catalog.unnest(${tables}) with ordinality as t (name, place)
          join pg_catalog.pg_class as c on c.oid = t.name::regclass
          left join pg_catalog.pg_stat_all_tables as s on s.relid = c.oid
        order by t.place`,
    }),
    rows: (rows) =>
      rows.map((row) => {
        const blocks = row.number('blocks')
        const rowsInBlock = row.numberOrNull('rows_in_block')
        return {
          table: row.text('table_name'),
          bytes: row.number('bytes'),
          indexes: JSON.parse(row.textOrNull('indexes') ?? '[]'),
          rows: row.number('live'),
          deadRows: row.number('dead'),
          updates: row.number('updates'),
          heapOnlyUpdates: row.number('heap_only'),
          deletions: row.number('deletions'),
          vacuumedAt: row.numberOrNull('vacuumed_at'),
          blocks,
          estimatedRows: rowsInBlock === null ? null : rowsInBlock * blocks,
        }
      }),
  })
}

/** Sessions that count as backlog at most: counting further would tell an operator nothing more. */
const MOST = 10_000

/** Counts what purge would delete, by the index that purge goes by, and stops at `MOST`. */
export function readPurgeFigures({
  session,
}: TableNames): Operation<void, PurgeFigures & { readonly time: number }> {
  return operation({
    name: 'inspect_purge',
    effect: 'none',
    parameters: { most: integer },
    give: () => ({ most: MOST + 1 }),
    sql: ({ most }) => ({
      due: `select purge_at from ${session} where purge_at <= now() limit ${most}`,
      next: `
        select floor(date_part('epoch', purge_at) * 1000) as due_at
        from ${session} where purge_at < 'infinity' order by purge_at limit 1`,
      answer: `
        select (select count(*) from due) as backlog,
          (select due_at from next) as due_at,
          floor(extract(epoch from now()) * 1000) as time`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      const found = row.number('backlog')
      return {
        backlog: Math.min(found, MOST),
        isMore: found > MOST,
        dueAt: row.numberOrNull('due_at'),
        time: row.number('time'),
      }
    },
  })
}
