import { createHash } from 'node:crypto'
import { StoreUnavailableError } from '../errors.ts'
import type { Connection, Driver } from './driver.ts'
import { lendConnection } from './lend-connection.ts'
import { type Migration, migrations } from './migrations/index.ts'
import { explainRefusal, missing, newer, outdated } from './schema-errors.ts'
import { foundationSql, newestVersion, stepSql } from './schema-sql.ts'
import { classifyDatabaseError, sqlStateOf } from './sql-state.ts'
import type { TableNames } from './table-names.ts'

export interface SchemaCheckOptions {
  /** Milliseconds to wait for the database's answer. */
  readonly timeout: number
  /** The migrations to go by, for tests. @internal */
  readonly migrations?: readonly Migration[]
}

export interface MigrateOptions extends SchemaCheckOptions {
  /** Milliseconds to wait for each step, and for another process that is migrating. */
  readonly timeout: number
  /**
   * Milliseconds to wait for what waits for no other process: a connection, the version of the tables,
   * the begin of the transaction. A network that is dead shows here. Defaults to `timeout`.
   */
  readonly readTimeout?: number
  readonly log?: { info(facts: object, message: string): void } | undefined
}

/** What a run of `migrate` found and left. Equal versions mean that there was nothing to do. */
export interface MigrateResult {
  readonly from: number
  readonly to: number
}

/**
 * Brings the tables to the version that this release works with.
 *
 * Tables that are up to date cost one read and no lock. Otherwise one transaction applies all that
 * is missing, or leaves nothing behind. Any number of processes may call it at once: one does the
 * work, the others wait for it. Safe to call again after a failure.
 *
 * @throws {SchemaError} The tables are newer than this release, or the role may not create them.
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export async function migrate(
  driver: Driver,
  names: TableNames,
  options: MigrateOptions,
): Promise<MigrateResult> {
  const steps = options.migrations ?? migrations
  const latest = newestVersion(steps)
  const timeout = options.readTimeout ?? options.timeout
  const found = await readSchemaVersion(driver, names, { timeout })
  if (found > latest) throw newer(names, found, latest)
  if (found === latest) return { from: found, to: found }
  try {
    const from = await lendConnection(driver, { timeout, purpose: 'migrate' }, (connection) =>
      applyMissing(connection, names, steps, options),
    )
    return { from, to: latest }
  } catch (error) {
    throw (
      explainRefusal(names, found, error) ??
      explainWait(names, error) ??
      classifyDatabaseError(error, { name: 'migrate' })
    )
  }
}

/** Says whom a migration has waited for in vain. */
function explainWait(names: TableNames, error: unknown): StoreUnavailableError | undefined {
  const sqlState = sqlStateOf(error)
  if (sqlState !== LOCK_NOT_AVAILABLE) return undefined
  return new StoreUnavailableError(
    `Another process is migrating the tables in schema '${names.raw.schema}', or a transaction holds a lock on them, and did not finish in time. Nothing was changed; trying again is safe. If nobody migrates, look into pg_stat_activity for a transaction that stays open, and end it.`,
    'none',
    { statement: 'migrate', sqlState },
  )
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Makes sure that the tables are there, in the version that this release works with. One read.
 *
 * @throws {SchemaError} They are missing, outdated or newer; the message names the fix.
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export async function checkSchema(
  driver: Driver,
  names: TableNames,
  options: SchemaCheckOptions,
): Promise<void> {
  const latest = newestVersion(options.migrations ?? migrations)
  const found = await readSchemaVersion(driver, names, options)
  if (found === 0) throw missing(names)
  if (found < latest) throw outdated(names, found, latest)
  if (found > latest) throw newer(names, found, latest)
}

/**
 * Reads the version of the tables; 0 when there are none.
 *
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 * @throws {StoreError} The role may not read the table of migrations.
 */
async function readSchemaVersion(
  driver: Driver,
  names: TableNames,
  { timeout }: { readonly timeout: number },
): Promise<number> {
  try {
    return await readVersion(driver, names, timeout)
  } catch (error) {
    if (NO_TABLE.includes(sqlStateOf(error) ?? '')) return 0
    throw classifyDatabaseError(error, { name: READ_VERSION })
  }
}

const READ_VERSION = 'read_schema_version'

/** undefined_table and invalid_schema_name: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const NO_TABLE = ['42P01', '3F000']

async function readVersion(
  connection: Pick<Connection, 'query'>,
  names: TableNames,
  timeout: number,
): Promise<number> {
  const rows = await within(
    timeout,
    connection.query(
      {
        name: `${READ_VERSION}_${fingerprint(names).toString('hex', 0, 4)}`,
        text: /* sql */ `select coalesce(max(version), 0)::text as version from ${names.migration}`,
        values: [],
      },
      { timeout },
    ),
  )
  return Number(rows[0]?.version ?? 0)
}

/** Applies in one transaction what is missing once no other process is migrating. */
async function applyMissing(
  connection: Connection,
  names: TableNames,
  steps: readonly Migration[],
  { timeout, readTimeout = timeout, log }: MigrateOptions,
): Promise<number> {
  const run = (sql: string): Promise<void> => within(timeout, connection.run(sql))
  await within(readTimeout, connection.run(beginSql(timeout)))
  await run(`select pg_advisory_xact_lock(${fingerprint(names).readBigInt64BE()})`)
  const there = await readFoundation(connection, names, timeout)
  if (!there.table) await run(foundationSql(names, { schema: !there.schema }))
  const from = await readVersion(connection, names, timeout)
  const latest = newestVersion(steps)
  if (from > latest) throw newer(names, from, latest)
  const due = steps.filter((step) => step.version > from)
  for (const step of due) await run(stepSql(names, step))
  await run('commit')
  for (const { version, name } of due) log?.info({ version, migration: name }, 'schema migrated')
  return from
}

/**
 * The server's limits end a little before ours, and that for locks before that for statements, so
 * that the true reason of a failure arrives. Read committed, so that what is read once the lock is
 * ours includes what its last holder did. Every setting ends with the transaction, since the
 * connection may go back to a pool.
 */
function beginSql(timeout: number): string {
  const share = (part: number): string => `'${Math.ceil(timeout * part)}ms'`
  return /* sql */ `begin isolation level read committed;
set local lock_timeout = ${share(0.8)};
set local statement_timeout = ${share(0.9)};
set local idle_in_transaction_session_timeout = ${share(1)};`
}

/**
 * Looked up in the catalog, because a failing read would end the transaction. In its tables: functions such
 * as `to_regclass` may answer from a cache of before the wait for the lock.
 */
async function readFoundation(
  connection: Connection,
  names: TableNames,
  timeout: number,
): Promise<{ readonly schema: boolean; readonly table: boolean }> {
  const rows = await within(
    timeout,
    connection.query(
      {
        name: 'read_schema_foundation',
        text: /* sql */ `select count(distinct n.oid)::text as schemas, count(c.oid)::text as tables
from pg_catalog.pg_namespace as n
  left join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = $2::text
where n.nspname = $1::text`,
        values: [names.raw.schema, names.raw.migration],
      },
      { timeout },
    ),
  )
  return { schema: rows[0]?.schemas === '1', table: rows[0]?.tables === '1' }
}

/**
 * Tells sets of tables apart. PostgreSQL keeps the advisory locks of databases apart by itself:
 * https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
function fingerprint(names: TableNames): Buffer {
  return createHash('sha256').update(`pg-sessions migrate ${names.migration}`).digest()
}

/**
 * Stops waiting in time. Thrown while a connection is lent, this makes the driver discard it, which
 * ends the transaction on the server too.
 */
export async function within<Answer>(timeout: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      reject(
        new StoreUnavailableError(
          `The database did not answer within ${timeout} ms while the schema was checked or migrated. Trying again is safe.`,
          'unknown',
          { statement: 'migrate' },
        ),
      )
    }
    timer = setTimeout(giveUp, timeout)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
