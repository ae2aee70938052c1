import { createHash } from 'node:crypto'
import type { Driver, QueryOptions, Row, Statement } from './driver.ts'
import { classifyDatabaseError } from './sql-state.ts'
import type { TableNames } from './table-names.ts'

/** What an operator wants to know of the tables. Times are milliseconds since the epoch. */
export interface StoreStatus {
  readonly live: number
  /** Dead by a deadline, not yet purged. */
  readonly expired: number
  /** Users with at least one live session. */
  readonly users: number
  /** When the oldest and the newest live session began; null when there is none. */
  readonly oldestCreatedAt: number | null
  readonly newestCreatedAt: number | null
  /** Sessions that purge would remove now. */
  readonly purgeBacklog: number
  /** When the next session falls due for purge; null when none is stored. */
  readonly nextPurgeAt: number | null
  /** Bytes on disk, the out-of-line storage of large values included. */
  readonly tableBytes: number
  readonly indexBytes: number
}

/** One line of a list of sessions: nothing in it grants anything. */
export interface ListedSession {
  readonly id: string
  readonly userId: string | null
  readonly createdAt: number
  readonly lastAccessAt: number
  readonly expiresAt: number
}

/**
 * Reads sizes and counts of the tables. It scans the table of sessions once, so it is for people and
 * for a monitor that asks every few minutes, not for requests.
 *
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export async function readStatus(
  driver: Driver,
  names: TableNames,
  options: QueryOptions,
): Promise<StoreStatus> {
  const [row = {}] = await ask(driver, readStatusStatement(names), options)
  return {
    live: Number(row.live),
    expired: Number(row.expired),
    users: Number(row.users),
    oldestCreatedAt: readTime(row.oldest_created_at),
    newestCreatedAt: readTime(row.newest_created_at),
    purgeBacklog: Number(row.purge_backlog),
    nextPurgeAt: readTime(row.next_purge_at),
    tableBytes: Number(row.table_bytes),
    indexBytes: Number(row.index_bytes),
  }
}

/**
 * Lists live sessions, those first that began last. Ids are in the order of creation (UUIDv7), so
 * the primary key serves this and a large table costs no more than a small one.
 *
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export async function readNewestSessions(
  driver: Driver,
  names: TableNames,
  limit: number,
  options: QueryOptions,
): Promise<readonly ListedSession[]> {
  const rows = await ask(driver, readNewestStatement(names, limit), options)
  return rows.map((row) => ({
    id: row.id ?? '',
    userId: row.user_id ?? null,
    createdAt: Number(row.created_at),
    lastAccessAt: Number(row.last_access_at),
    expiresAt: Number(row.expires_at),
  }))
}

function readStatusStatement(names: TableNames): Statement {
  return {
    name: statementName('read_status', names),
    text: /* sql */ `select
  (count(*) filter (where expires_at > now()))::text as live,
  (count(*) filter (where expires_at <= now()))::text as expired,
  (count(distinct user_id) filter (where expires_at > now()))::text as users,
  ${milliseconds('min(created_at) filter (where expires_at > now())')} as oldest_created_at,
  ${milliseconds('max(created_at) filter (where expires_at > now())')} as newest_created_at,
  (count(*) filter (where purge_at <= now()))::text as purge_backlog,
  ${milliseconds('min(purge_at)')} as next_purge_at,
  (pg_table_size($1::regclass) + pg_table_size($2::regclass))::text as table_bytes,
  (pg_indexes_size($1::regclass) + pg_indexes_size($2::regclass))::text as index_bytes
from ${names.session}`,
    values: [names.session, names.sessionData],
  }
}

function readNewestStatement(names: TableNames, limit: number): Statement {
  return {
    name: statementName('read_newest_sessions', names),
    text: /* sql */ `select
  id::text as id,
  user_id,
  ${milliseconds('created_at')} as created_at,
  ${milliseconds('last_access_at')} as last_access_at,
  ${milliseconds('expires_at')} as expires_at
from ${names.session} as stored
where expires_at > now()
order by stored.id desc
limit $1::bigint`,
    values: [String(limit)],
  }
}

function milliseconds(time: string): string {
  return `floor(extract(epoch from ${time}) * 1000)::text`
}

function readTime(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text)
}

/** Two sets of tables may share one driver, on which a name stands for one text. */
function statementName(verb: string, names: TableNames): string {
  return `${verb}_${createHash('sha256').update(names.session).digest('hex').slice(0, 8)}`
}

async function ask(
  driver: Driver,
  statement: Statement,
  options: QueryOptions,
): Promise<readonly Row[]> {
  try {
    return await driver.query(statement, options)
  } catch (error) {
    throw classifyDatabaseError(error, statement)
  }
}
