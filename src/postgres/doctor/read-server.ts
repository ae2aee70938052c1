import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import type { TableNames } from '../table-names.ts'

/** What the server says of itself, as far as sessions depend on it. Times are in seconds. */
export interface ServerFacts {
  /** `160004` for 16.4. */
  readonly version: number
  readonly encoding: string
  readonly fsync: boolean
  readonly synchronousCommit: string
  readonly connections: number
  readonly maxConnections: number
  /** Milliseconds since the epoch. */
  readonly time: number
  /** How full the queue of notifications is, from 0 to 1. */
  readonly notifyQueue: number
  /** Age of the oldest transaction that is open, and its process; null if there is none or the role may not see it. */
  readonly oldestTransaction: number | null
  readonly oldestPid: number | null
  /** Age of the oldest transaction that was prepared for a two-phase commit. */
  readonly oldestPrepared: number | null
  /** Replication slots that nothing reads, while they keep old rows and log files. */
  readonly idleSlots: readonly string[]
}

/** How the purge keeps up. */
export interface PurgeFacts {
  /** Seconds since the session that has waited longest fell due; 0 if none is due. */
  readonly overdue: number
}

export const readServer: Operation<void, ServerFacts> = operation({
  name: 'doctor_server',
  effect: 'none',
  parameters: {},
  give: () => ({}),
  sql: () => ({
    transaction: `
      select pid, extract(epoch from now() - xact_start) as age
      from pg_catalog.pg_stat_activity
      where xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
      order by xact_start
      limit 1`,
    answer: `
      select current_setting('server_version_num')::int as version,
        current_setting('server_encoding') as encoding,
        current_setting('fsync') = 'on' as fsync,
        current_setting('synchronous_commit') as synchronous_commit,
        (
          select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend'
        ) as connections,
        current_setting('max_connections')::int as max_connections,
        floor(extract(epoch from clock_timestamp()) * 1000) as time,
        pg_notification_queue_usage() as notify_queue,
        (select age from transaction) as oldest,
        (select pid from transaction) as oldest_pid,
        (
          select extract(epoch from now() - min(prepared)) from pg_catalog.pg_prepared_xacts
          where database = current_database()
        ) as oldest_prepared,
        (
          select string_agg(slot_name, e'\\n' order by slot_name)
          from pg_catalog.pg_replication_slots where not active
        ) as idle_slots`,
  }),
  rows(rows) {
    const row = onlyRow(rows)
    return {
      version: row.number('version'),
      encoding: row.text('encoding'),
      fsync: row.boolean('fsync'),
      synchronousCommit: row.text('synchronous_commit'),
      connections: row.number('connections'),
      maxConnections: row.number('max_connections'),
      time: row.number('time'),
      notifyQueue: row.number('notify_queue'),
      oldestTransaction: row.numberOrNull('oldest'),
      oldestPid: row.numberOrNull('oldest_pid'),
      oldestPrepared: row.numberOrNull('oldest_prepared'),
      idleSlots: row.textOrNull('idle_slots')?.split('\n') ?? [],
    }
  },
})

export function readPurge({ session }: TableNames): Operation<void, PurgeFacts> {
  return operation({
    name: 'doctor_purge',
    effect: 'none',
    parameters: {},
    give: () => ({}),
    sql: () => ({
      answer: `
        select coalesce(extract(epoch from now() - min(purge_at)), 0) as overdue
        from ${session} where purge_at <= now()`,
    }),
    rows: (rows) => ({ overdue: onlyRow(rows).number('overdue') }),
  })
}
