import { onlyRow } from '../../../postgres/answer-rows.ts'
import { type Operation, operation } from '../../../postgres/operation.ts'
import { bytes, duration, uuid } from '../../../postgres/parameter-types.ts'
import { insertSessions } from '../../../postgres/session-columns.ts'
import type { TableNames } from '../../../postgres/table-names.ts'

/** A counter to count up by one. */
export interface CountUp {
  readonly id: string
  readonly hash: Uint8Array
  /** Milliseconds that it lives, from its first count. */
  readonly lifetime: number
}

/**
 * Counts up by one and gives the count. A counter begins at one, and its deadline is set then alone.
 *
 * The count is the row's `sign_ins`: the column that counts up, and one row to write.
 */
export function countUp({ session }: TableNames): Operation<CountUp, number> {
  return operation({
    name: 'count_up',
    effect: 'once',
    parameters: { id: uuid, hash: bytes, lifetime: duration },
    give: ({ id, hash, lifetime }: CountUp) => ({ id, hash, lifetime }),
    sql: ({ id, hash, lifetime }) => {
      const expiry = `least('infinity', now() + ${lifetime})`
      const columns = {
        id,
        secret_hash: hash,
        sign_ins: '1',
        created_at: 'now()',
        last_access_at: 'now()',
        token_issued_at: 'now()',
        expires_at: expiry,
        absolute_expires_at: `'infinity'::timestamptz`,
        purge_at: expiry,
      }
      const begunAgain = Object.keys(columns)
        .filter((column) => column !== 'id' && column !== 'sign_ins')
        .map(
          (column) => `${column} = case when ${OVER} then excluded.${column} else s.${column} end`,
        )
      return {
        counted: `
        ${insertSessions(`${session} as s`, columns, '')}
        on conflict (id) do update
        set sign_ins = case when ${OVER} then 1 else s.sign_ins + 1 end,
          ${begunAgain.join(',\n          ')}
        returning sign_ins`,
        answer: 'select sign_ins as count from counted',
      }
    },
    rows: (rows) => onlyRow(rows).number('count'),
  })
}

const OVER = 's.expires_at <= now()'
