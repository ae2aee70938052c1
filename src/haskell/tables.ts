import { createHash } from 'node:crypto'
import { SchemaError } from '../errors.ts'
import type { Driver } from '../postgres/driver.ts'
import { lendConnection } from '../postgres/lend-connection.ts'
import { within } from '../postgres/migrate.ts'
import { classifyDatabaseError, sqlStateOf } from '../postgres/sql-state.ts'
import { quoteIdentifier, resolveTableNames } from '../postgres/table-names.ts'

/** The original's tables as they stand in SQL. Their names cannot be chosen, their schema can. */
export interface WaiTableNames {
  /** The schema, quoted. */
  readonly schema: string
  /** The schema as the user writes it. */
  readonly rawSchema: string
  readonly sessions: string
  readonly data: string
}

/** @throws {ConfigurationError} The schema's name cannot be one. */
export function waiTableNames(schema: string): WaiTableNames {
  const quoted = resolveTableNames({ schema }).schema
  return Object.freeze({
    schema: quoted,
    rawSchema: schema,
    sessions: `${quoted}.wai_pg_sessions`,
    data: `${quoted}.wai_pg_session_data`,
  })
}

/** How long to wait for tables, in milliseconds. */
interface Patience {
  /** For the catalog to answer. */
  readonly read: number
  /** For the tables to be made, and for others who are making them. */
  readonly create: number
}

/**
 * Makes the tables, or what is missing of them, as the original would: same columns, constraints and
 * names; but the index in the schema of its table. Tables that are complete cost one read and no lock.
 *
 * Safe from many processes at once: ours wait for each other, and for one of the original's, which
 * takes no lock, this looks again.
 *
 * @throws {SchemaError} The role may not create them.
 * @throws {StoreUnavailableError} The database did not answer in time.
 */
export async function createWaiTables(
  driver: Driver,
  names: WaiTableNames,
  patience: Patience,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const found = await readCatalog(driver, names, patience.read)
    if (found.isComplete) return
    try {
      const sql = creation(names, found.schema, patience.create)
      return await lendConnection(
        driver,
        { timeout: patience.read, purpose: CREATE.name },
        (lent) => within(patience.create, lent.run(sql)),
      )
    } catch (error) {
      const state = sqlStateOf(error) ?? ''
      if (MADE_MEANWHILE.has(state) && attempt < 5) continue
      if (state !== INSUFFICIENT_PRIVILEGE) throw classifyDatabaseError(error, CREATE)
      throw new SchemaError(
        'ERR_SCHEMA_MISSING',
        `The database role may not create what is missing of wai_pg_sessions and wai_pg_session_data in schema '${names.rawSchema}'. Start the service that made them once, or run this one once as a role that may.`,
      )
    }
  }
}

/**
 * Makes sure that both tables are there. One read.
 *
 * @throws {SchemaError} They are not.
 */
export async function checkWaiTables(
  driver: Driver,
  names: WaiTableNames,
  patience: Pick<Patience, 'read'>,
): Promise<void> {
  const { hasTables } = await readCatalog(driver, names, patience.read)
  if (!hasTables) throw missingTables(names)
}

export function missingTables({ rawSchema }: WaiTableNames): SchemaError {
  return new SchemaError(
    'ERR_SCHEMA_MISSING',
    `The tables wai_pg_sessions and wai_pg_session_data, as wai-session-postgresql has them, are not in schema '${rawSchema}'. Set schema to the one that they are in, or migrate: 'auto' to create them.`,
  )
}

/** unique_violation in the catalog, duplicate_schema, duplicate_table, duplicate_object */
const MADE_MEANWHILE: ReadonlySet<string> = new Set(['23505', '42P06', '42P07', '42710'])
const INSUFFICIENT_PRIVILEGE = '42501'
const CREATE = { name: 'create_wai_tables' }

interface Catalog {
  readonly schema: boolean
  readonly hasTables: boolean
  readonly isComplete: boolean
}

async function readCatalog(
  driver: Driver,
  names: WaiTableNames,
  timeout: number,
): Promise<Catalog> {
  const index = `${names.schema}.idx_session_last_access`
  const statement = {
    name: 'pg_sessions_wai_catalog',
    text: /* sql */ `select
  (to_regnamespace($1::text) is not null)::text as schema,
  (to_regclass($2::text) is not null and to_regclass($3::text) is not null)::text as tables,
  (to_regclass($4::text) is not null)::text as index`,
    values: [names.schema, names.sessions, names.data, index],
  }
  try {
    const [row] = await within(timeout, driver.query(statement, { timeout }))
    const hasTables = row?.tables === 'true'
    const isComplete = hasTables && row?.index === 'true'
    return { schema: row?.schema === 'true', hasTables, isComplete }
  } catch (error) {
    throw classifyDatabaseError(error, statement)
  }
}

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
