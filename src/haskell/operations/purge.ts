import { onlyRow } from '../../postgres/answer-rows.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import { integer } from '../../postgres/parameter-types.ts'
import type { StoreCounts } from '../../store/session-store.ts'
import { isLive, NOW } from '../sql-fragments.ts'
import type { WaiTableNames } from '../wai-table-names.ts'

/**
 * Removes at most so many dead sessions, and tells how many went. Skips what others hold, a purge of the
 * original included. Judged again after any wait.
 */
export function purgeOperation(
  { sessions }: WaiTableNames,
  timeout: number,
): Operation<number, number> {
  return operation({
    name: 'wai_purge',
    effect: 'idempotent',
    parameters: { limit: integer },
    give: (limit: number) => ({ limit }),
    sql: ({ limit }) => ({
      doomed: `
        select id
        from ${sessions}
        where session_last_access < ${NOW} - ${timeout / 1000}
        order by session_last_access
        limit ${limit}
        for update skip locked`,
      purged: `
        delete from ${sessions}
        where id = any (array(select id from doomed)) and not ${isLive(timeout)}
        returning id`,
      answer: `select count(*) as purged from purged`,
    }),
    rows: (rows) => onlyRow(rows).number('purged'),
  })
}

/** Counts all sessions. Reads the whole table. */
export function count({ sessions }: WaiTableNames, timeout: number): Operation<void, StoreCounts> {
  return operation({
    name: 'wai_count',
    effect: 'none',
    parameters: {},
    give: () => ({}),
    sql: () => ({
      answer: `
        select count(*) filter (where ${isLive(timeout)}) as live,
          count(*) filter (where not ${isLive(timeout)}) as expired
        from ${sessions}`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      return { live: row.number('live'), expired: row.number('expired') }
    },
  })
}
