import { SchemaError, StoreError } from '../errors.ts'
import { onlyRow } from './answer-rows.ts'
import { readClientError } from './client-error.ts'
import type { Connection, Driver } from './driver.ts'
import { lendConnection } from './lend-connection.ts'
import { type Operation, operation } from './operation.ts'
import { text } from './parameter-types.ts'
import { classifyDatabaseError, sqlStateOf } from './sql-state.ts'
import { StatementRunner } from './statement-runner.ts'
import { quoteLiteral, type TableNames } from './table-names.ts'

/** Where Citus keeps which tables it distributes. */
export const CITUS_CATALOG = 'pg_catalog.pg_dist_partition'

/** Whether the database that is asked has the extension Citus. */
const hasCitus: Operation<void, boolean> = operation({
  name: 'has_citus',
  effect: 'none',
  parameters: { catalog: text },
  give: () => ({ catalog: CITUS_CATALOG }),
  sql: ({ catalog }) => ({ answer: `select to_regclass(${catalog}) is not null as has_citus` }),
  rows: (rows) => onlyRow(rows).boolean('has_citus'),
})

/** Whether Citus distributes both tables. */
function readDistribution({ session, sessionData }: TableNames): Operation<void, boolean> {
  return operation({
    name: 'read_distribution',
    effect: 'none',
    parameters: { session: text, sessionData: text },
    give: () => ({ session, sessionData }),
    sql: (table) => ({
      answer: `
        select count(*) = 2 as is_distributed
        from ${CITUS_CATALOG}
        where logicalrelid in (to_regclass(${table.session}), to_regclass(${table.sessionData}))`,
    }),
    rows: (rows) => onlyRow(rows).boolean('is_distributed'),
  })
}

/**
 * Tells whether Citus distributes the tables.
 *
 * @param options - `hasCitus`: whether the database has the extension, if that is known.
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export async function isDistributed(
  driver: Driver,
  names: TableNames,
  options: { readonly timeout: number; readonly hasCitus?: boolean },
): Promise<boolean> {
  const runner = new StatementRunner(driver, options.timeout)
  const isCitus = options.hasCitus ?? (await runner.ask(hasCitus, undefined))
  return isCitus && (await runner.ask(readDistribution(names), undefined))
}

/** The statements that distribute both tables by the session's id, so that a session lies on one server. */
export function distributionSql({ session, sessionData }: TableNames): readonly string[] {
  const [sessions, entries] = [quoteLiteral(session), quoteLiteral(sessionData)]
  return [
    `select pg_catalog.create_distributed_table(${sessions}, 'id')`,
    `select pg_catalog.create_distributed_table(${entries}, 'session_id', colocate_with => ${sessions})`,
  ]
}

/**
 * Has Citus distribute the tables, which must be there, in one transaction. Rows stay; writes wait meanwhile.
 *
 * @returns False if they were distributed before.
 * @throws {SchemaError} The database does not have the extension Citus.
 * @throws {StoreError} Citus refused; the message has its words.
 */
export async function distributeTables(
  driver: Driver,
  names: TableNames,
  { timeout }: { readonly timeout: number },
): Promise<boolean> {
  const runner = new StatementRunner(driver, timeout)
  if (!(await runner.ask(hasCitus, undefined))) throw withoutCitus()
  if (await isDistributed(driver, names, { timeout, hasCitus: true })) return false
  await lendConnection(driver, { timeout, purpose: 'migrate' }, async (connection) => {
    await run(connection, 'begin')
    for (const statement of distributionSql(names)) await run(connection, statement)
    await run(connection, 'commit')
  })
  return true
}

async function run(connection: Connection, sql: string): Promise<void> {
  try {
    await connection.run(sql)
  } catch (error) {
    const failure = classifyDatabaseError(error, { name: 'distribute' })
    const sqlState = sqlStateOf(failure)
    if (sqlState === undefined || !(failure instanceof StoreError)) throw failure
    // The statement holds names of tables, and no one's data.
    throw new StoreError(
      `The database did not distribute the tables, and nothing was changed: ${readClientError(error).message}. Run \`pg-sessions migrate --citus\` on the coordinator, as the owner of the tables.`,
      { statement: 'distribute', sqlState },
    )
  }
}

function withoutCitus(): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_MISSING',
    'This database does not have the extension Citus. Run `create extension citus` on each node and add the workers on the coordinator, or leave --citus out.',
  )
}
