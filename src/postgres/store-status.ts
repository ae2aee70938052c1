import { type AnswerRow, onlyRow } from './answer-rows.ts'
import type { Driver } from './driver.ts'
import { type Operation, operation } from './operation.ts'
import { integer, text } from './parameter-types.ts'
import { StatementRunner } from './statement-runner.ts'
import type { TableNames } from './table-names.ts'

/** Counts and sizes of the tables, for an operator. Times are milliseconds since the epoch. */
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

/** One line of a list of sessions. It holds nothing secret. */
export interface ListedSession {
  readonly id: string
  readonly userId: string | null
  readonly createdAt: number
  readonly lastAccessAt: number
  readonly expiresAt: number
  /** What the sign-in said of its device, as JSON; absent if nothing. */
  readonly device?: string
  /** Who acts as the user; absent in the user's own. */
  readonly actor?: { readonly userId: string }
  /** Absent if it has none. */
  readonly tags?: readonly string[]
}

/**
 * Reads sizes and counts of the tables. It scans the table of sessions once: use it for people, or for a
 * monitor that polls every few minutes.
 *
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export function readStatus(
  driver: Driver,
  names: TableNames,
  { timeout }: { readonly timeout: number },
): Promise<StoreStatus> {
  return new StatementRunner(driver, timeout).ask(statusOperation(names), undefined)
}

/**
 * Lists live sessions, the newest first. Ids sort by creation (UUIDv7), so the primary key serves this, and
 * a large table costs no more than a small one.
 *
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export function readNewestSessions(
  driver: Driver,
  names: TableNames,
  limit: number,
  { timeout }: { readonly timeout: number },
): Promise<readonly ListedSession[]> {
  return new StatementRunner(driver, timeout).ask(newestSessions(names), limit)
}

function statusOperation({ session, sessionData }: TableNames): Operation<void, StoreStatus> {
  return operation({
    name: 'read_status',
    effect: 'none',
    parameters: { session: text, sessionData: text },
    give: () => ({ session, sessionData }),
    sql: (table) => ({
      answer: `
        select
          count(*) filter (where expires_at > now()) as live,
          count(*) filter (where expires_at <= now()) as expired,
          count(distinct user_id) filter (where expires_at > now()) as users,
          ${milliseconds('min(created_at) filter (where expires_at > now())')} as oldest_created_at,
          ${milliseconds('max(created_at) filter (where expires_at > now())')} as newest_created_at,
          count(*) filter (where purge_at <= now()) as purge_backlog,
          ${milliseconds('min(purge_at)')} as next_purge_at,
          pg_table_size(${table.session}::regclass)
            + pg_table_size(${table.sessionData}::regclass) as table_bytes,
          pg_indexes_size(${table.session}::regclass)
            + pg_indexes_size(${table.sessionData}::regclass) as index_bytes
        from ${session}`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      return {
        live: row.number('live'),
        expired: row.number('expired'),
        users: row.number('users'),
        oldestCreatedAt: row.numberOrNull('oldest_created_at'),
        newestCreatedAt: row.numberOrNull('newest_created_at'),
        purgeBacklog: row.number('purge_backlog'),
        nextPurgeAt: row.numberOrNull('next_purge_at'),
        tableBytes: row.number('table_bytes'),
        indexBytes: row.number('index_bytes'),
      }
    },
  })
}

function newestSessions({ session }: TableNames): Operation<number, readonly ListedSession[]> {
  return operation({
    name: 'read_newest_sessions',
    effect: 'none',
    parameters: { limit: integer },
    give: (limit: number) => ({ limit }),
    sql: ({ limit }) => ({
      answer: `
        select
          id,
          user_id,
          ${milliseconds('created_at')} as created_at,
          ${milliseconds('last_access_at')} as last_access_at,
          ${milliseconds('expires_at')} as expires_at,
          device::text as device,
          array_to_json(tags)::text as tags,
          actor_id
        from ${session}
        where expires_at > now()
        order by id desc
        limit ${limit}`,
    }),
    rows: (rows) =>
      rows.map((row) => ({
        ...detailsOf(row),
        id: row.text('id'),
        userId: row.textOrNull('user_id'),
        createdAt: row.number('created_at'),
        lastAccessAt: row.number('last_access_at'),
        expiresAt: row.number('expires_at'),
      })),
  })
}

function detailsOf(row: AnswerRow): Pick<ListedSession, 'device' | 'tags' | 'actor'> {
  const device = row.textOrNull('device')
  const tags = row.textOrNull('tags')
  const actor = row.textOrNull('actor_id')
  return {
    ...(actor === null ? {} : { actor: { userId: actor } }),
    ...(device === null ? {} : { device }),
    ...(tags === null ? {} : { tags: JSON.parse(tags) }),
  }
}

function milliseconds(time: string): string {
  return `floor(extract(epoch from ${time}) * 1000)`
}
