import { type Operation, operation } from '../../../postgres/operation.ts'
import { insertNewSessions } from '../../../postgres/operations/new-session.ts'
import { bytes, duration, text, uuid } from '../../../postgres/parameter-types.ts'
import type { TableNames } from '../../../postgres/table-names.ts'

/** A value to store under a key, whatever is there. */
export interface PutValue {
  readonly id: string
  readonly hash: Uint8Array
  readonly userId: string | null
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Milliseconds; `Infinity` for none. */
  readonly lifetime: number
}

/**
 * Stores a value for so long, in the place of one that is there.
 *
 * Never sent a second time when the first may have been applied: the value may have been taken or deleted in
 * between, and would come back.
 */
export function putValue({ session, sessionData }: TableNames): Operation<PutValue, 'put'> {
  return operation({
    name: 'put_value',
    effect: 'once',
    parameters: { id: uuid, hash: bytes, user: text, lifetime: duration, key: bytes, value: bytes },
    give: ({ id, hash, userId, lifetime, key, value }: PutValue) => ({
      id,
      hash,
      user: userId,
      lifetime,
      key,
      value,
    }),
    sql: ({ id, hash, user, lifetime, key, value }) => ({
      // The row is locked first, so that values and deadlines of concurrent puts come in pairs.
      kept: `
        ${insertNewSessions(session, {
          newId: id,
          hash,
          newUser: user,
          ownIdle: 'null::bigint',
          idle: lifetime,
          absolute: 'null::interval',
        })}
        on conflict (id) do update
        set ${REPLACED.map((column) => `${column} = excluded.${column}`).join(', ')}
        returning id`,
      written: `
        insert into ${sessionData} (session_id, key, value)
        select ${id}, ${key}, ${value}
        from kept
        on conflict (session_id, key) do update set value = excluded.value`,
      answer: 'select 1 where false',
    }),
    done: () => 'put',
  })
}

/** What a put sets in a row that is there. */
const REPLACED = [
  'secret_hash',
  'user_id',
  'created_at',
  'authenticated_at',
  'last_access_at',
  'token_issued_at',
  'expires_at',
  'absolute_expires_at',
  'purge_at',
] as const
