import type { SaveResult, SessionChange } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import { boolean, bytes, duration, float, instant, list, text } from '../parameter-types.ts'
import { packTimes, readTimes, TIME_COLUMNS } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import {
  changeTypes,
  giveChange,
  giveGuard,
  guardTypes,
  lifetimeTypes,
} from './session-parameters.ts'
import { changeEntries, liveAndOwned } from './session-sql.ts'

/** The operations to change token, user or lifetime of a live session, together with its entries. */
export interface SaveCredentials {
  for(change: SessionChange): Operation<SessionChange, SaveResult>
}

export function saveCredentials(names: TableNames): SaveCredentials {
  const once = saveCredentialsOperation(names, 'once')
  const again = saveCredentialsOperation(names, 'idempotent')
  return { for: (change) => (isRenewalAlone(change) ? again : once) }
}

/** Sent again it finds its own token in force. Entries could undo what others wrote in between. */
function isRenewalAlone({ credentials, written, deleted }: SessionChange): boolean {
  return credentials?.token?.grace !== undefined && written.length + deleted.length === 0
}

/**
 * Replaces the token if the one that the request holds still works. That one works on for a while when this
 * is a renewal, and is dead when it is anything else. A sign-in is refused as a whole when it does not work;
 * anything else is done without it.
 */
function saveCredentialsOperation(
  { session, sessionData }: TableNames,
  effect: 'once' | 'idempotent',
): Operation<SessionChange, SaveResult> {
  return operation({
    name: 'save_credentials',
    effect,
    parameters: {
      ...guardTypes,
      ...lifetimeTypes,
      ...changeTypes,
      shown: list(bytes),
      token: bytes,
      signIn: text,
      absolute: instant,
      keepsIdle: boolean,
      ownIdle: float,
      grace: duration,
      patience: duration,
      overlap: duration,
    },
    give: (change: SessionChange) => {
      const { token, signIn, absoluteExpiresAt, ownIdleTimeout } = change.credentials ?? {}
      return {
        ...giveGuard(change),
        ...change.lifetime,
        ...giveChange(change),
        shown: token?.from ?? [],
        token: token?.to ?? null,
        signIn: signIn?.userId ?? null,
        absolute: absoluteExpiresAt ?? null,
        keepsIdle: ownIdleTimeout === undefined,
        ownIdle: ownIdleTimeout ?? null,
        grace: token?.grace?.duration,
        patience: token?.grace?.patience,
        overlap: token?.grace?.overlap,
      }
    },
    sql: (given) => {
      const newAbsolute = `coalesce(${given.absolute}, s.absolute_expires_at)`
      return {
        // Distributed engines refuse `now()` within `case`, and of a change they refuse its sums.
        asked: `
        select now() as now, ${given.shown} as shown,
          now() + ${given.idle} as idle_until, now() + ${given.purge} as purge_until,
          now() + ${given.grace} as grace_until, now() + ${given.overlap} as shown_until,
          now() - ${given.patience} as lost_before,
          case when ${given.signIn} is not null then now() end as signed_in_at`,
        live: `
        update ${session} as s
        set last_access_at = greatest(s.last_access_at, asked.now),
          secret_hash = case when ${MAY_REPLACE} then ${given.token} else s.secret_hash end,
          previous_hash = case
            when asked.grace_until is null and ${MAY_REPLACE} then null
            when asked.grace_until is not null and ${HOLDS_TOKEN} then s.secret_hash
            else s.previous_hash
          end,
          previous_until = case
            when ${MAY_REPLACE} then asked.grace_until
            else s.previous_until
          end,
          token_issued_at = case
            when ${MAY_REPLACE} then greatest(s.token_issued_at, asked.now)
            else s.token_issued_at
          end,
          user_id = coalesce(${given.signIn}, s.user_id),
          authenticated_at = greatest(s.authenticated_at, asked.signed_in_at),
          absolute_expires_at = ${newAbsolute},
          own_idle_ms = case when ${given.keepsIdle} then s.own_idle_ms else ${given.ownIdle} end,
          expires_at = greatest(
            case
              when ${given.signIn} is null and ${given.absolute} is null and ${given.keepsIdle}
                then s.expires_at
            end,
            least(${newAbsolute}, asked.idle_until)
          ),
          purge_at = greatest(s.purge_at, least(${newAbsolute}, asked.purge_until))
        from asked
        where ${liveAndOwned(given.id, given.user)}
          and (${given.signIn} is null or ${MAY_REPLACE})
        returning ${TIME_COLUMNS}, s.secret_hash`,
        ...changeEntries(sessionData, given),
        answer: `
        select boolsend(coalesce(secret_hash = ${given.token}, false)) || ${packTimes('live')} as packed
        from live`,
      }
    },
    packed(answer) {
      if (answer.isAtEnd) return { status: 'gone' }
      const rotated = answer.boolean()
      return { status: 'saved', rotated, times: readTimes(answer) }
    },
  })
}

const HOLDS_TOKEN = 's.secret_hash = any (asked.shown)'

/**
 * Whether the token shown may be replaced: the one in force, and the one before in its grace. A renewal
 * replaces the latter only when its successor was never shown, and was issued so long ago that its reply
 * must have got lost.
 */
const MAY_REPLACE = `(${HOLDS_TOKEN} or (
            s.previous_hash = any (asked.shown) and s.previous_until > asked.now
            and (asked.grace_until is null or (
              s.previous_until > asked.shown_until and s.token_issued_at <= asked.lost_before
            ))
          ))`
