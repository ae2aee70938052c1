import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import type { TableNames } from '../table-names.ts'

/** Tells the database from all others, by what a statement on any connection to it reads. */
export function databaseIdentity(names: TableNames): Operation<void, string> {
  return operation({
    name: 'database_identity',
    effect: 'none',
    parameters: {},
    give: () => ({}),
    sql: () => ({ answer: `select ${identitySql(names)} as identity` }),
    rows: (rows) => onlyRow(rows).text('identity'),
  })
}

/**
 * The start of the server tells two servers apart, also those with databases of one name. The nodes of a distributed
 * engine start apart, so there the name has to do.
 */
export function identitySql({ isDistributed }: Pick<TableNames, 'isDistributed'>): string {
  return isDistributed
    ? 'current_database()::text'
    : `(select concat_ws(' ', d.oid, d.datname, extract(epoch from pg_postmaster_start_time()))
          from pg_catalog.pg_database as d
          where d.datname = current_database())`
}
