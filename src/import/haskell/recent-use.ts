import { NOW } from '../../haskell/sql-fragments.ts'
import type { WaiTableNames } from '../../haskell/wai-table-names.ts'
import { onlyRow } from '../../postgres/answer-rows.ts'
import type { Driver } from '../../postgres/driver.ts'
import { operation } from '../../postgres/operation.ts'
import { integer } from '../../postgres/parameter-types.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'

/** Counts the sessions that were used in the last minute: a sign that the other service is running. */
export async function countRecentlyUsed(
  driver: Driver,
  { sessions }: WaiTableNames,
  timeout: number,
): Promise<number> {
  const recentUse = operation({
    name: 'wai_recent_use',
    effect: 'none',
    parameters: { seconds: integer },
    give: (seconds: number) => ({ seconds }),
    sql: ({ seconds }) => ({
      answer: `select count(*) as used from ${sessions} where session_last_access >= ${NOW} - ${seconds}`,
    }),
    rows: (rows) => onlyRow(rows).number('used'),
  })
  return new StatementRunner(driver, timeout).ask(recentUse, 60)
}
