import type { StoreCheck } from '../../store/session-store.ts'
import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { list, text } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** Asks whether this role can work with the tables on this server, and what time it is there. */
export function check({ raw, session, sessionData }: TableNames): Operation<void, StoreCheck> {
  return operation({
    name: 'check',
    effect: 'none',
    parameters: { schema: text, tables: list(text) },
    give: () => ({ schema: raw.schema, tables: [session, sessionData] }),
    sql: ({ schema, tables }) => ({
      answer: `
        select
          floor(extract(epoch from clock_timestamp()) * 1000) as time,
          pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only,
          case when has_schema_privilege(${schema}, 'USAGE') then (
            select string_agg(m.what, e'\\n' order by m.what)
            from (
              select r.command || ' on ' || t.name as what
              from pg_catalog.unnest(${tables}) as t (name),
                unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as r (command)
              where not has_table_privilege(t.name, r.command)
              union all
              select 'SELECT on ' || t.name || ' while row_security is off'
              from pg_catalog.unnest(${tables}) as t (name)
              where row_security_active(t.name) and current_setting('row_security') = 'off'
              union all
              select distinct 'USAGE on schema ' || quote_ident(${schema})
                || ' for the tables'' owner ' || quote_ident(o.rolname) || ', whose rights foreign keys need'
              from pg_catalog.unnest(${tables}) as t (name)
                join pg_catalog.pg_class as c on c.oid = t.name::regclass
                join pg_catalog.pg_roles as o on o.oid = c.relowner
              where not has_schema_privilege(c.relowner, c.relnamespace, 'USAGE')
            ) as m
          ) else 'USAGE on schema ' || quote_ident(${schema}) end as missing`,
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
