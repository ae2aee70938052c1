import { StoreError } from '../../errors.ts'
import type { Driver } from '../../postgres/driver.ts'
import { operation } from '../../postgres/operation.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import { isOfOtherTypes } from '../query-legacy-table.ts'
import { countOperation } from './connect-pg-simple-source.ts'
import { resolveOldTable } from './old-table.ts'

/** A table with the columns of connect-pg-simple's. */
export interface FoundTable {
  readonly schema: string
  readonly table: string
  /** Why it cannot be connect-pg-simple's, in words; null when it can. */
  readonly problem: string | null
}

/**
 * Finds the tables of connect-pg-simple in a database, by their columns, from the catalog alone. Those
 * that this role may not read are left out.
 *
 * @param timeout - Milliseconds.
 * @throws {StoreUnavailableError} If the database cannot be reached or does not answer in time.
 */
export function findOldTables(driver: Driver, timeout: number): Promise<readonly FoundTable[]> {
  return new StatementRunner(driver, timeout).ask(findTables, undefined)
}

/** What an old table still holds, by the zone of this connection. */
export interface OldTableStatus extends FoundTable {
  readonly live: number
  readonly expired: number
}

/**
 * Finds the tables of connect-pg-simple and counts what they hold. Scans each of them once. A table that is
 * not connect-pg-simple's is named with its problem, and not counted.
 *
 * @param timeout - Milliseconds.
 */
export async function readOldTables(driver: Driver, timeout: number): Promise<OldTableStatus[]> {
  const runner = new StatementRunner(driver, timeout)
  const found = await findOldTables(driver, timeout)
  return Promise.all(found.map((table) => countTable(runner, table)))
}

async function countTable(runner: StatementRunner, table: FoundTable): Promise<OldTableStatus> {
  if (table.problem !== null) return { ...table, live: 0, expired: 0 }
  try {
    const counts = await runner.ask(countOperation(resolveOldTable(table)), undefined)
    return { ...table, ...counts }
  } catch (error) {
    if (!(error instanceof StoreError) || !isOfOtherTypes(error)) throw error
    return { ...table, live: 0, expired: 0, problem: 'their types are others' }
  }
}

const findTables = operation({
  name: 'find_old_tables',
  effect: 'none',
  parameters: {},
  give: (_: undefined) => ({}),
  // A domain is of the category of its type. `D` also has times of day, which say no date.
  sql: () => ({
    answer: `
      select n.nspname as schema, c.relname as name,
        case
          when t.typcategory <> 'D' or t.typname in ('time', 'timetz')
            then 'expire is ' || format_type(e.atttypid, e.atttypmod) || ', which is not a date'
        end as problem
      from pg_catalog.pg_class as c
        join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
        join pg_catalog.pg_attribute as e
          on e.attrelid = c.oid and e.attname = 'expire' and not e.attisdropped
        join pg_catalog.pg_type as t on t.oid = e.atttypid
      where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and (
          select count(*)
          from pg_catalog.pg_attribute as a
          where a.attrelid = c.oid and a.attname in ('sid', 'sess') and not a.attisdropped
        ) = 2
        and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
      order by 1, 2`,
  }),
  rows: (rows): readonly FoundTable[] =>
    rows.map((row) => ({
      schema: row.text('schema'),
      table: row.text('name'),
      problem: row.textOrNull('problem'),
    })),
})
