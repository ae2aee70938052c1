import type { EndedPage, EndingPage } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { instant, integer, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/**
 * Ends a page of all sessions, in the order of their ids, and tells which were live.
 *
 * Served by the primary key. Ids of UUIDv7 grow, so a page never meets the dead rows of those before it. A
 * session that began after the first page stays, so that sign-ins cannot make the work endless.
 */
export function destroyPage({
  session,
  isDistributed,
}: TableNames): Operation<EndingPage, EndedPage & { readonly isKept: boolean }> {
  return operation({
    name: 'destroy_page',
    effect: 'once',
    parameters: { after: uuid, before: instant, limit: integer },
    give: ({ after, before, limit }: EndingPage) => ({ after, before, limit }),
    sql: ({ after, before, limit }) => ({
      doomed: `
        select s.id, s.expires_at
        from ${session} as s
        where s.id > coalesce(${after}, '00000000-0000-0000-0000-000000000000'::uuid)
          and s.created_at <= coalesce(${before}, now())
        order by s.id
        limit ${limit}
        ${isDistributed ? '' : 'for update'}`,
      ended: `
        delete from ${session} as s
        where s.id ${isDistributed ? 'in (select id from doomed)' : '= any (array(select id from doomed))'}
        returning s.id, s.user_id, s.expires_at`,
      answer: `
        select d.id, e.user_id, coalesce(e.expires_at > now(), false) as was_live,
          ${isDistributed ? 'false' : 'e.id is null and d.expires_at > now()'} as is_kept,
          extract(epoch from coalesce(${before}, now())) * 1000 as before
        from doomed as d left join ended as e on e.id = d.id
        order by d.id`,
    }),
    rows(rows, { limit }) {
      const ended = rows
        .filter((row) => row.boolean('was_live'))
        .map((row) => ({ id: row.text('id'), userId: row.textOrNull('user_id') }))
      const isKept = rows.some((row) => row.boolean('is_kept'))
      const last = rows.length < limit ? undefined : rows.at(-1)
      if (last === undefined) return { ended, isKept, next: null }
      return { ended, isKept, next: { after: last.text('id'), before: last.number('before') } }
    },
  })
}
