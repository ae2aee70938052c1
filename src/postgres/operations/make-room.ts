import type { SessionCap } from '../../store/session-store.ts'
import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { integer, text, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { refuseKept } from './destroy.ts'

/** A sign-in that is to come. */
export interface ComingSignIn {
  readonly userId: string
  /** The session that is signed in, or that ends with it; null for a new one. It does not count. */
  readonly own: string | null
  readonly cap: SessionCap
}

/** Counts a user's live sessions, but for the one that is signed in. */
export function countOthers({ session }: TableNames): Operation<ComingSignIn, number> {
  return operation({
    name: 'count_others',
    effect: 'none',
    parameters: { user: text, own: uuid },
    give: ({ userId, own }: ComingSignIn) => ({ user: userId, own }),
    sql: ({ user, own }) => ({
      answer: `
        select count(*) as others
        from ${session} as s
        where s.user_id = ${user} and s.actor_id is null and s.expires_at > now()
          and s.id is distinct from ${own}`,
    }),
    rows: (rows) => onlyRow(rows).number('others'),
  })
}

/**
 * Ends those of a user's sessions that began longest ago, so that one more is within the cap. Tells which.
 *
 * It locks them, and the session that is signed in, in the order of their ids, as all do that lock several, so that
 * no two calls wait for each other.
 */
export function evictOldest({ session }: TableNames): Operation<ComingSignIn, readonly string[]> {
  return operation({
    name: 'evict_oldest',
    effect: 'once',
    parameters: { user: text, own: uuid, kept: integer },
    give: ({ userId, own, cap }: ComingSignIn) => ({ user: userId, own, kept: cap.count - 1 }),
    sql: ({ user, own, kept }) => ({
      oldest: `
        select s.id
        from ${session} as s
        where s.user_id = ${user} and s.actor_id is null and s.expires_at > now()
          and s.id is distinct from ${own}
        order by coalesce(s.authenticated_at, s.created_at) desc, s.id desc
        offset ${kept}`,
      locked: `
        select s.id, s.id is distinct from ${own} and s.user_id = ${user} as is_doomed
        from ${session} as s
        where s.id = any (array(select oldest.id from oldest) || ${own})
        order by s.id
        for update`,
      ended: `
        delete from ${session} as s
        using locked
        where s.id = locked.id and locked.is_doomed
        returning s.id`,
      answer: `
        select id, id not in (select ended.id from ended) as is_kept
        from locked
        where is_doomed`,
    }),
    rows(rows) {
      refuseKept(rows.some((row) => row.boolean('is_kept')))
      return rows.map((row) => row.text('id'))
    },
  })
}
