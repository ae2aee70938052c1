import type { StoreCheck } from '../../store/session-store.ts'
import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { text } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** Asks whether this role can work with the tables on this server, and what time it is there. */
export function check({ session, sessionData }: TableNames): Operation<void, StoreCheck> {
  return operation({
    name: 'check',
    effect: 'none',
    parameters: { session: text, sessionData: text },
    give: () => ({ session, sessionData }),
    sql: (table) => ({
      answer: `
        select
          floor(extract(epoch from clock_timestamp()) * 1000) as time,
          pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only,
          (
            select string_agg(r.command || ' on ' || t.name, e'\\n' order by t.name, r.command)
            from unnest(array[${table.session}, ${table.sessionData}]) as t (name),
              unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as r (command)
            where not has_table_privilege(t.name, r.command)
          ) as missing`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      return {
        time: row.number('time'),
        isReadOnly: row.boolean('read_only'),
        missingRights: row.textOrNull('missing')?.split('\n') ?? [],
      }
    },
  })
}
