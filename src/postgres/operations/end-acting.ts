import type { ActorReturn, ActorReturnResult } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, list, uuid } from '../parameter-types.ts'
import { packSummary, readSummary } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { refuseKept } from './destroy.ts'
import { giveGuard, guardTypes, lifetimeTypes } from './session-parameters.ts'
import { liveAndOwned, opensTo, touchColumns } from './session-sql.ts'

/**
 * Ends a session of an actor for a working token, and gives the actor's own session a new token.
 *
 * The token of the actor's session is not asked for: that the acting one could be ended is the proof. Of several
 * callers one finds it, so one new token comes of it.
 */
export function endActing({ session }: TableNames): Operation<ActorReturn, ActorReturnResult> {
  return operation({
    name: 'end_acting',
    effect: 'once',
    parameters: {
      ...guardTypes,
      ...lifetimeTypes,
      hashes: list(bytes),
      token: bytes,
      actorSession: uuid,
    },
    give: ({ own, to, lifetime, secretHashes, ...guard }: ActorReturn) => ({
      ...giveGuard(guard),
      ...lifetime,
      actorSession: own,
      hashes: secretHashes,
      token: to,
    }),
    sql: ({ hashes, token, actorSession, idle, purge, ...guard }) => ({
      found: `
        select s.id, s.actor_id
        from ${session} as s
        where ${liveAndOwned(guard)} and s.actor_session = ${actorSession} and ${opensTo(hashes)}
        for update`,
      ended: `
        delete from ${session} as s
        using found
        where s.id = ${guard.id}
        returning s.id`,
      own: `
        update ${session} as s
        set secret_hash = ${token}, previous_hash = null, previous_until = null,
          sealed_successor = null, token_issued_at = greatest(s.token_issued_at, now()),
          ${touchColumns(idle, purge)}
        from found
        where s.id = ${actorSession} and exists (select from ended) and s.user_id = found.actor_id
          and s.actor_id is null and s.expires_at > now()
        returning s.*`,
      answer: `
        select boolsend(not exists (select from ended))
            || coalesce((select boolsend(true) || ${packSummary('own')} from own), boolsend(false))
          as packed
        from found`,
    }),
    packedRow(answer) {
      if (answer.isAtEnd) return { status: 'gone' }
      refuseKept(answer.boolean())
      return { status: 'ended', own: answer.boolean() ? readSummary(answer) : null }
    },
  })
}
