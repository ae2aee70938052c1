import { onlyRow } from '../../postgres/answer-rows.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import { duration, text, uuid } from '../../postgres/parameter-types.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import { insertMarks } from '../move-statement.ts'
import { CONTENT, columns, readOldRow } from './connect-pg-simple-source.ts'
import type { OldTable } from './old-table.ts'
import type { OldRow } from './read-row.ts'

/** Which session to look for. */
export interface OldSession {
  readonly sid: string
  /** Its public id here. */
  readonly id: string
}

/** Where a session is. */
export interface Finding {
  readonly isHere: boolean
  /** Its row there; null when there is none. */
  readonly row: OldRow | null
}

/**
 * Reads the row of one sid, and tells whether its session is here: both as of one moment, so that a
 * session that is being moved is seen in one of the two places.
 */
export function findOldSession(
  { session }: TableNames,
  old: OldTable,
): Operation<OldSession, Finding> {
  return operation({
    name: 'fallback_find',
    effect: 'none',
    parameters: { sid: text, id: uuid },
    give: ({ sid, id }: OldSession) => ({ sid, id }),
    sql: ({ sid, id }) => ({
      answer: `
        select exists (select from ${session} where id = ${id} and expires_at > now()) as is_here,
          sid, ${CONTENT}
        from (values (1)) as one
          left join (
            select ${columns(old)} from ${old.name} old where old.sid = ${old.sid(sid)}
          ) row on true`,
    }),
    rows(rows) {
      const row = onlyRow(rows)
      const isMissing = row.textOrNull('sid') === null
      return { isHere: row.boolean('is_here'), row: isMissing ? null : readOldRow(row) }
    },
  })
}

/** What to end, and for how long late writes could bring it back. */
export interface Forgetting {
  readonly sid: string
  readonly mark: string
  /** Milliseconds. */
  readonly rememberFor: number
}

/** Ends a session that has not moved, and marks it, so that no late write brings it back. */
export function forgetOldSession(
  { session }: TableNames,
  old: OldTable,
): Operation<Forgetting, undefined> {
  return operation({
    name: 'fallback_forget',
    effect: 'idempotent',
    parameters: { sid: text, mark: uuid, remember: duration },
    give: ({ sid, mark, rememberFor }: Forgetting) => ({ sid, mark, remember: rememberFor }),
    sql: ({ sid, mark, remember }) => ({
      gone: `
        delete from ${old.name} old
        where old.sid = ${old.sid(sid)}
        returning greatest(${old.deadline}, now() + ${remember}) as remember_until`,
      answer: `
        ${insertMarks(session, { id: mark, until: 'remember_until' }, 'from gone')}
        on conflict (id) do nothing`,
    }),
    done: () => undefined,
  })
}
