import { createHash } from 'node:crypto'
import { SchemaError } from '../errors.ts'
import type { Driver } from '../postgres/driver.ts'
import { lendConnection } from '../postgres/lend-connection.ts'
import { within } from '../postgres/migrate.ts'
import { classifyDatabaseError, sqlStateOf } from '../postgres/sql-state.ts'
import { quoteIdentifier } from '../postgres/table-names.ts'
import type { WaiStoreSettings } from './store-options.ts'
import { foreignTables, readWaiCatalog } from './table-shape.ts'
import type { WaiTableNames } from './wai-table-names.ts'

/** How long to wait for tables, in milliseconds. */
interface Patience {
  /** For the catalog to answer. */
  readonly read: number
  /** For the tables to be made, and for others who are making them. */
  readonly create: number
}

/** How long creating the tables may take beyond the deadline of ordinary calls. */
const CREATION_TIMEOUT = 60_000

/** Creates or checks the tables before the first call, as the store's options say. */
export async function prepareWaiTables(settings: WaiStoreSettings): Promise<void> {
  const { driver, names, mode, deadline } = settings
  const patience = { read: deadline, create: Math.max(deadline, CREATION_TIMEOUT) }
  if (mode === 'auto') await createWaiTables(driver, names, patience)
  else if (mode === 'check') await checkWaiTables(driver, names, patience)
}

/** Finds out what is wrong with the tables, in the words of their own check. */
export async function explainWaiTables(
  { driver, names, deadline }: WaiStoreSettings,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof SchemaError)) return error
  try {
    await checkWaiTables(driver, names, { read: deadline })
    return error
  } catch (better) {
    return better instanceof SchemaError ? better : error
  }
}

/**
 * Makes the tables, or what is missing of them, as the original would: same columns, constraints and
 * names; but the index in the schema of its table. Tables that are complete cost one read and no lock.
 *
 * Safe from many processes at once: ours wait for each other, and for one of the original's, which
 * takes no lock, this looks again.
 *
 * @throws {SchemaError} If tables of these names are not the original's, or the role may not create them.
 * @throws {StoreUnavailableError} The database did not answer in time.
 */
async function createWaiTables(
  driver: Driver,
  names: WaiTableNames,
  patience: Patience,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const found = await readWaiCatalog(driver, names, patience.read)
    if (found.faults.length > 0) throw foreignTables(names, found.faults)
    if (found.hasTables && found.hasIndex) return
    try {
      const sql = creation(names, found.hasSchema, patience.create)
      return await lendConnection(
        driver,
        { timeout: patience.read, purpose: CREATE.name },
        (lent) => within(patience.create, lent.run(sql)),
      )
    } catch (error) {
      const state = sqlStateOf(error) ?? ''
      if (MADE_MEANWHILE.has(state) && attempt < 5) continue
      if (state !== INSUFFICIENT_PRIVILEGE) throw classifyDatabaseError(error, CREATE)
      // The original fails at this index in any schema but public. Only a purge is slower without it.
      if (found.hasTables) return
      throw new SchemaError(
        'ERR_SCHEMA_MISSING',
        `The database role may not create what is missing of wai_pg_sessions and wai_pg_session_data in schema '${names.rawSchema}'. Start the service that made them once, or run this one once as a role that may.`,
      )
    }
  }
}

/**
 * Makes sure that both tables are there, and are the original's. One read.
 *
 * @throws {SchemaError} If they are not.
 */
async function checkWaiTables(
  driver: Driver,
  names: WaiTableNames,
  patience: Pick<Patience, 'read'>,
): Promise<void> {
  const { hasTables, faults } = await readWaiCatalog(driver, names, patience.read)
  if (faults.length > 0) throw foreignTables(names, faults)
  if (!hasTables) throw missingTables(names)
}

function missingTables({ rawSchema }: WaiTableNames): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_MISSING',
    `The tables wai_pg_sessions and wai_pg_session_data, as wai-session-postgresql has them, are not in schema '${rawSchema}'. Set schema to the one that they are in, or migrate: 'auto' to create them.`,
  )
}

/** unique_violation in the catalog, duplicate_schema, duplicate_table, duplicate_object */
const MADE_MEANWHILE: ReadonlySet<string> = new Set(['23505', '42P06', '42P07', '42710'])
const INSUFFICIENT_PRIVILEGE = '42501'
const CREATE = { name: 'create_wai_tables' }

/** One transaction. The server's limits end a little before ours, so that the true reason arrives. */
function creation(
  { schema, sessions, data }: WaiTableNames,
  has: boolean,
  timeout: number,
): string {
  const share = (part: number): string => `'${Math.ceil(timeout * part)}ms'`
  return /* sql */ `begin isolation level read committed;
set local lock_timeout = ${share(0.8)};
set local statement_timeout = ${share(0.9)};
set local idle_in_transaction_session_timeout = ${share(1)};
select pg_advisory_xact_lock(${lockOf(sessions)});
${has ? '' : `create schema if not exists ${schema};`}
create table if not exists ${sessions} (
  id bigserial primary key,
  session_key varchar not null,
  session_created_at bigint not null,
  session_last_access bigint not null,
  session_invalidate_key boolean not null default false,
  constraint wai_pg_sessions_session_key unique (session_key)
);
create table if not exists ${data} (
  id bigserial primary key,
  wai_pg_session bigint references ${sessions} (id) on update restrict on delete cascade,
  key bytea,
  value bytea,
  unique (wai_pg_session, key)
);
create index if not exists ${quoteIdentifier('idx_session_last_access')}
  on ${sessions} (session_last_access);
commit`
}

function lockOf(sessions: string): bigint {
  return createHash('sha256').update(`pg-sessions wai ${sessions}`).digest().readBigInt64BE()
}
