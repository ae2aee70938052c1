import type { Driver, QueryOptions } from '../../postgres/driver.ts'
import { classifyDatabaseError } from '../../postgres/sql-state.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import { countStatement } from './connect-pg-simple-source.ts'
import { resolveOldTable } from './old-table.ts'

/** A table that looks like one of connect-pg-simple. */
export interface FoundTable {
  readonly schema: string
  readonly table: string
}

/**
 * Finds the tables of connect-pg-simple in a database, by their columns, from the catalog alone. Those
 * that this role may not read are left out.
 *
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export async function findOldTables(driver: Driver, options: QueryOptions): Promise<FoundTable[]> {
  try {
    const rows = await driver.query(FIND, options)
    return rows.map(({ schema, name }) => ({ schema: schema ?? '', table: name ?? '' }))
  } catch (error) {
    throw classifyDatabaseError(error, FIND)
  }
}

/** What an old table still holds, by the zone of this connection. */
export interface OldTableStatus extends FoundTable {
  readonly live: number
  readonly expired: number
}

/** Finds the tables of connect-pg-simple and counts what they hold. Scans each of them once. */
export async function readOldTables(
  driver: Driver,
  options: QueryOptions,
): Promise<OldTableStatus[]> {
  const runner = new StatementRunner(driver, options.timeout)
  const found = await findOldTables(driver, options)
  return Promise.all(
    found.map(async (table) => {
      const count = countStatement(resolveOldTable(table))
      const [row] = await runner.run(count, { repeatable: true })
      return { ...table, live: Number(row?.live), expired: Number(row?.expired) }
    }),
  )
}

const FIND = {
  name: 'pg_sessions_find_old_tables',
  text: /* sql */ `select n.nspname::text as schema, c.relname::text as name
from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (
    select count(*)
    from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attname in ('sid', 'sess', 'expire') and not a.attisdropped
  ) = 3
  and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
order by 1, 2`,
  values: [],
}
