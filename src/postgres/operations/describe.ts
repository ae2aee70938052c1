import type { DescribeResult, Description } from '../../store/session-store.ts'
import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { text } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { giveGuard, guardTypes } from './session-parameters.ts'
import { liveAndOwned } from './session-sql.ts'

/** Notes what is said of a live session's device. Touches no indexed column, so the row stays heap-only. */
export function describeOperation({ session }: TableNames): Operation<Description, DescribeResult> {
  return operation({
    name: 'describe',
    effect: 'idempotent',
    parameters: { ...guardTypes, device: text },
    give: (description: Description) => ({
      ...giveGuard(description),
      device: description.device,
    }),
    sql: ({ id, user, version, device }) => ({
      described: `
        update ${session} as s
        set device = ${device}::jsonb
        where ${liveAndOwned({ id, user, version })}
        returning s.id`,
      answer: `select count(*) > 0 as is_live from described`,
    }),
    rows: (rows) => ({ status: onlyRow(rows).boolean('is_live') ? 'described' : 'gone' }),
  })
}
