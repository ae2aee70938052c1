import { onlyRow } from '../postgres/answer-rows.ts'
import { type Operation, operation } from '../postgres/operation.ts'
import type { StoreCounts } from '../store/session-store.ts'

/**
 * Counts what another library's table holds. Scans it once.
 *
 * @param name - Of the operation, on the server and in messages.
 * @param table - As it stands in SQL.
 * @param isLive - SQL that tells whether the session of a row `old` lives. Rows of which it is null are not counted.
 */
export function countOldSessions(
  name: string,
  table: string,
  isLive: string,
): Operation<void, StoreCounts> {
  return operation({
    name,
    effect: 'none',
    parameters: {},
    give: () => ({}),
    sql: () => ({
      answer: `
        select count(*) filter (where ${isLive}) as live,
          count(*) filter (where not (${isLive})) as expired
        from ${table} old`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      return { live: row.number('live'), expired: row.number('expired') }
    },
  })
}
