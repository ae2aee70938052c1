import type { DestroyResult, Ending } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { boolean, list, text, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** Ends a session, and tells whose it was if it was live. */
export function destroyOperation({ session }: TableNames): Operation<Ending, DestroyResult> {
  return operation({
    name: 'destroy',
    effect: 'idempotent',
    parameters: { id: uuid, hasOwner: boolean, owner: text },
    // An owner of null, which the type forbids, owns nothing.
    give: ({ id, owner }: Ending) => ({ id, hasOwner: owner !== undefined, owner: owner ?? null }),
    sql: ({ id, hasOwner, owner }) => ({
      ended: `
        delete from ${session} as s
        where s.id = ${id} and (not ${hasOwner} or s.user_id = ${owner})
        returning s.user_id, s.expires_at`,
      answer: `select user_id, expires_at > now() as was_live from ended`,
    }),
    rows: ([row]) =>
      row?.boolean('was_live')
        ? { status: 'ended', userId: row.textOrNull('user_id') }
        : { status: 'gone' },
  })
}

interface EndingOfUser {
  readonly userId: string
  /** Ids of the sessions that stay. */
  readonly except: readonly string[]
}

/** Ends all sessions of a user but those named, and tells which were live. */
export function destroyByUser({ session }: TableNames): Operation<EndingOfUser, readonly string[]> {
  return operation({
    name: 'destroy_by_user',
    effect: 'idempotent',
    parameters: { user: text, except: list(uuid) },
    give: ({ userId, except }: EndingOfUser) => ({ user: userId, except }),
    sql: ({ user, except }) => ({
      ended: `
        delete from ${session} as s
        where s.user_id = ${user} and s.id <> all (${except})
        returning s.id, s.expires_at`,
      answer: `select id from ended where expires_at > now()`,
    }),
    rows: (rows) => rows.map((row) => row.text('id')),
  })
}
