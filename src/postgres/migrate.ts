import { createHash } from 'node:crypto'
import { StoreUnavailableError } from '../errors.ts'
import { realTime } from '../real-time.ts'
import { isDistributed } from './distribution.ts'
import type { Connection, Driver, Row } from './driver.ts'
import { explainedQueries } from './explanations.ts'
import { lendConnection } from './lend-connection.ts'
import { type Migration, migrations } from './migrations/index.ts'
import type { Operation } from './operation.ts'
import { freshProof } from './proof.ts'
import { hasOurMigrationTable, recognizeTables, type TablesState } from './recognize-tables.ts'
import {
  distributed,
  explainRefusal,
  missing,
  newer,
  outdated,
  unrecorded,
} from './schema-errors.ts'
import { foundationSql, newestVersion, recordSql, stepSql } from './schema-sql.ts'
import { classifyDatabaseError, isRetryable, sqlStateOf } from './sql-state.ts'
import type { DatabaseOptions } from './store-options.ts'
import { readVersions, type Survey, surveyTables } from './survey-tables.ts'
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

/** How long a migration may take beyond the deadline of ordinary calls. */
const MIGRATION_TIMEOUT = 60_000

/**
 * Migrates or checks the tables before the first call, as the store's options say.
 *
 * @throws {SchemaError} Citus distributes the tables, and the store does not know.
 */
export async function prepareTables(
  driver: Driver,
  names: TableNames,
  { migrate: mode, deadline, log }: DatabaseOptions & Pick<MigrateOptions, 'log'>,
): Promise<void> {
  if (mode === 'off') return
  const timeout = Math.max(deadline, MIGRATION_TIMEOUT)
  const { hasCitus } =
    mode === 'auto'
      ? await migrateFound(driver, names, { timeout, readTimeout: deadline, log })
      : await checkFound(driver, names, { timeout: deadline })
  if (!hasCitus || names.isDistributed === true) return
  if (await isDistributed(driver, names, { timeout: deadline, hasCitus })) throw distributed(names)
}

/**
 * Brings the tables to the version that this release works with.
 *
 * Tables that are up to date cost two reads and no lock. Otherwise one transaction applies all that
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
  const { from, to } = await migrateFound(driver, names, options)
  return { from, to }
}

async function migrateFound(
  driver: Driver,
  names: TableNames,
  options: MigrateOptions,
): Promise<MigrateResult & Pick<Survey, 'hasCitus'>> {
  const steps = options.migrations ?? migrations
  const latest = newestVersion(steps)
  const timeout = options.readTimeout ?? options.timeout
  const { state, hasCitus } = await reachTables(driver, names, steps, timeout)
  const found = state.kind === 'recorded' ? state.version : 0
  if (found > latest) throw newer(names, found, latest)
  if (found === latest) return { from: found, to: found, hasCitus }
  try {
    const from = await lendConnection(driver, { timeout, purpose: 'migrate' }, (connection) =>
      applyMissing(connection, names, steps, options),
    )
    return { from, to: latest, hasCitus }
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
    `Another process is migrating the tables in schema '${names.raw.schema}', or a transaction holds a lock on them, and did not finish in time. Nothing was changed; trying again is safe. If no other migration runs, look into pg_stat_activity for a transaction that stays open, and end it.`,
    'none',
    { statement: 'migrate', sqlState },
  )
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Makes sure that the tables are there, in the version that this release works with. Two reads.
 *
 * @throws {SchemaError} They are missing, outdated or newer; the message names the fix.
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export async function checkSchema(
  driver: Driver,
  names: TableNames,
  options: SchemaCheckOptions,
): Promise<void> {
  await checkFound(driver, names, options)
}

async function checkFound(
  driver: Driver,
  names: TableNames,
  options: SchemaCheckOptions,
): Promise<Pick<Survey, 'hasCitus'>> {
  const steps = options.migrations ?? migrations
  const latest = newestVersion(steps)
  const { state, hasCitus } = await reachTables(driver, names, steps, options.timeout)
  if (state.kind === 'absent') throw missing(names)
  if (state.kind === 'unrecorded') throw unrecorded(names)
  if (state.version < latest) throw outdated(names, state.version, latest)
  if (state.version > latest) throw newer(names, state.version, latest)
  return { hasCitus }
}

/**
 * Reads the tables over the first connection, and tries again, within the time, while a server or a pooler that has no
 * room yet turns it away.
 */
async function reachTables(
  driver: Driver,
  names: TableNames,
  steps: readonly Migration[],
  timeout: number,
): Promise<{ readonly state: TablesState } & Pick<Survey, 'hasCitus'>> {
  const queries = explainedQueries(driver)
  const end = realTime.now() + timeout
  for (let attempt = 1; ; attempt++) {
    const left = Math.max(1, Math.ceil(end - realTime.now()))
    try {
      const { state, survey } = await readTables(queries, names, steps, left)
      return { state, hasCitus: survey.hasCitus }
    } catch (error) {
      const pause = 2 ** attempt * (6 + 12 * Math.random())
      const isLast = attempt === ATTEMPTS || realTime.now() + pause >= end
      if (isLast || isRetryable(error) === 'no') throw error
      await new Promise((resolve) => realTime.setTimeout(resolve, pause))
    }
  }
}

/** As often as any statement that surely had no effect. */
const ATTEMPTS = 3

/**
 * Finds out which of our tables are there. Two reads, or one where they are missing.
 *
 * @throws {SchemaError} A name is taken by a table that is not ours, or row level security hides the rows.
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
async function readTables(
  connection: Pick<Connection, 'query'>,
  names: TableNames,
  steps: readonly Migration[],
  timeout: number,
): Promise<{ readonly survey: Survey; readonly state: TablesState }> {
  const survey = await ask(connection, surveyTables, names, timeout)
  const recorded = hasOurMigrationTable(survey)
    ? await ask(connection, readVersions(names), undefined, timeout)
    : []
  return { survey, state: recognizeTables(names, survey, recorded, steps) }
}

async function ask<Call, Answer>(
  connection: Pick<Connection, 'query'>,
  operation: Operation<Call, Answer>,
  call: Call,
  timeout: number,
): Promise<Answer> {
  const proof = freshProof()
  const check = (rows: readonly Row[]): Answer => operation.read(rows, call, proof)
  try {
    // Named, a statement that fails to be prepared would be unknown to a pooler that tracks names.
    const bounds = { timeout, check, prepare: false } as const
    const answer = connection.query(operation.statement(call, proof), bounds)
    return check(await within(timeout, answer))
  } catch (error) {
    throw classifyDatabaseError(error, operation)
  }
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
  const { survey, state } = await readTables(connection, names, steps, timeout)
  const latest = newestVersion(steps)
  const from = state.kind === 'absent' ? 0 : state.version
  if (from > latest) throw newer(names, from, latest)
  if (survey.migration === null) await run(foundationSql(names, { schema: !survey.hasSchema }))
  // A version that is recorded of tables which were dropped since would not be applied again.
  if (state.kind === 'absent') await run(`delete from ${names.migration}`)
  if (state.kind === 'unrecorded') await run(recordSql(names, steps, from))
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
    timer = realTime.setTimeout(giveUp, timeout)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    realTime.clearTimeout(timer)
  }
}
