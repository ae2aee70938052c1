import { createHash } from 'node:crypto'
import type { Statement } from '../../postgres/driver.ts'
import { interval } from '../../postgres/encoding.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import { MARK } from '../move-statement.ts'
import { CONTENT, columns } from './connect-pg-simple-source.ts'
import type { OldTable } from './old-table.ts'

/**
 * Reads the row of one sid, and tells whether its session is here: both as of one moment, so that a
 * session that is being moved is seen in one of the two places.
 */
export function findStatement(
  { session }: TableNames,
  old: OldTable,
  sid: string,
  id: string,
): Statement {
  return named(
    'find',
    `
      select (exists (select from ${session} where id = $2::text::uuid and expires_at > now()))::text
          as is_here,
        sid, ${CONTENT}
      from (values (1)) as one
        left join (select ${columns(old)} from ${old.name} old where old.sid = ${old.sid('$1::text')}) row on true`,
    [sid, id],
  )
}

/** Ends a session that has not moved, and marks it, so that no late write brings it back. */
export function forgetStatement(
  { session }: TableNames,
  { name, deadline, sid: sidOf }: OldTable,
  sid: string,
  mark: string,
  rememberFor: number,
): Statement {
  return named(
    'forget',
    `
      with gone as (
        delete from ${name} old
        where old.sid = ${sidOf('$1::text')}
        returning greatest(${deadline}, now() + $3::text::interval) as remember_until
      )
      insert into ${session} ${MARK.columns}
      select ${MARK.values('$2::text::uuid', 'remember_until')}
      from gone
      on conflict (id) do nothing`,
    [sid, mark, interval(rememberFor)],
  )
}

function named(verb: string, text: string, values: readonly (string | null)[]): Statement {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8)
  return { name: `pg_sessions_fallback_${verb}_${hash}`, text, values }
}
