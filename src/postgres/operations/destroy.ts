import type { DestroyResult, Ending } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { boolean, bytes, list, text, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { opensTo } from './session-sql.ts'

/** Ends a session, for everybody, its owner or a working token, and tells whose it was if it was live. */
export function destroyOperation({ session }: TableNames): Operation<Ending, DestroyResult> {
  return operation({
    name: 'destroy',
    effect: 'idempotent',
    parameters: {
      id: uuid,
      hasOwner: boolean,
      owner: text,
      hasToken: boolean,
      hashes: list(bytes),
    },
    // An owner of null, which the type forbids, owns nothing.
    give: ({ id, owner, secretHashes }: Ending) => ({
      id,
      hasOwner: owner !== undefined,
      owner: owner ?? null,
      hasToken: secretHashes !== undefined,
      hashes: secretHashes ?? [],
    }),
    sql: ({ id, hasOwner, owner, hasToken, hashes }) => ({
      // Locked first: of a session that another request has just ended or changed, this sees the latest.
      found: `
        select s.user_id, s.expires_at > now() as was_live,
          s.expires_at <= now() or not ${hasToken} or ${opensTo(hashes)} as is_held
        from ${session} as s
        where s.id = ${id} and (not ${hasOwner} or s.user_id = ${owner})
        for update`,
      ended: `
        delete from ${session} as s
        using found
        where s.id = ${id} and found.is_held`,
      answer: `select user_id, was_live, is_held from found`,
    }),
    rows([row]) {
      if (!row?.boolean('was_live')) return { status: 'gone' }
      if (!row.boolean('is_held')) return { status: 'superseded' }
      return { status: 'ended', userId: row.textOrNull('user_id') }
    },
  })
}

interface EndingOfUser {
  readonly userId: string
  /** Ids of the sessions that stay. */
  readonly except: readonly string[]
}

/**
 * Ends all sessions of a user but those named, and tells which were live.
 *
 * Never repeated by itself, since the answer to a repeat lacks what the first has ended.
 */
export function destroyByUser({ session }: TableNames): Operation<EndingOfUser, readonly string[]> {
  return operation({
    name: 'destroy_by_user',
    effect: 'once',
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
