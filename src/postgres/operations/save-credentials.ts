import type { CredentialChange, SaveResult, SessionChange } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import {
  boolean,
  bytes,
  duration,
  float,
  instant,
  list,
  text,
  textsOrNull,
} from '../parameter-types.ts'
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
 * is a renewal, and is dead when it is anything else. When it does not work, a change of user or lifetime is
 * refused as a whole; anything else is done without it.
 */
function saveCredentialsOperation(
  names: TableNames,
  effect: 'once' | 'idempotent',
): Operation<SessionChange, SaveResult> {
  const { session, sessionData } = names
  return operation({
    name: 'save_credentials',
    effect,
    parameters: {
      ...guardTypes,
      ...lifetimeTypes,
      ...changeTypes(names),
      shown: list(bytes),
      token: bytes,
      signIn: text,
      tags: textsOrNull,
      factor: text,
      absolute: instant,
      keepsIdle: boolean,
      ownIdle: float,
      grace: duration,
      successor: bytes,
      needsToken: boolean,
    },
    give: (change: SessionChange) => {
      const { token, signIn, factor, absoluteExpiresAt, ownIdleTimeout } = change.credentials ?? {}
      return {
        ...giveGuard(change),
        ...change.lifetime,
        ...giveChange(change),
        shown: token?.from ?? [],
        token: token?.to ?? null,
        signIn: signIn?.userId ?? null,
        tags: signIn?.tags ?? null,
        factor: factor ?? null,
        absolute: absoluteExpiresAt ?? null,
        keepsIdle: ownIdleTimeout === undefined,
        ownIdle: ownIdleTimeout ?? null,
        grace: token?.grace?.duration,
        successor: token?.grace?.successor ?? null,
        needsToken: needsToken(change.credentials),
      }
    },
    sql: (given) => {
      const newAbsolute = `coalesce(${given.absolute}, s.absolute_expires_at)`
      return {
        // Distributed engines refuse `now()` within `case`, and of a change they refuse its sums.
        asked: `
        select now() as now, ${given.shown} as shown, ${given.tags} as tags,
          now() + ${given.idle} as idle_until, now() + ${given.purge} as purge_until,
          now() + ${given.grace} as grace_until,
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
          sealed_successor = case
            when ${MAY_REPLACE} then ${given.successor}
            else s.sealed_successor
          end,
          token_issued_at = case
            when ${MAY_REPLACE} then greatest(s.token_issued_at, asked.now)
            else s.token_issued_at
          end,
          user_id = coalesce(${given.signIn}, s.user_id),
          tags = nullif(coalesce(asked.tags, s.tags), '{}'),
          factor = case
            when ${given.factor} is not null then ${given.factor}
            when ${given.signIn} is null then s.factor
          end,
          elevated_at = case
            when ${given.factor} is not null then asked.now
            when ${given.signIn} is null then s.elevated_at
          end,
          sign_ins = s.sign_ins + case when ${given.signIn} is null then 0 else 1 end,
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
        where ${liveAndOwned(given)} and (not ${given.needsToken} or ${MAY_REPLACE})
        returning ${TIME_COLUMNS}, s.secret_hash, s.sign_ins`,
        ...changeEntries(sessionData, given),
        answer: `
        select boolsend(coalesce(secret_hash = ${given.token}, false))
            || int4send(sign_ins) || ${packTimes('live')} as packed
        from live`,
      }
    },
    packedRow(answer) {
      if (answer.isAtEnd) return { status: 'gone' }
      const rotated = answer.boolean()
      const version = String(answer.int())
      return { status: 'saved', rotated, version, times: readTimes(answer) }
    },
  })
}

const HOLDS_TOKEN = 's.secret_hash = any (asked.shown)'

/**
 * Whether the token shown may be replaced: the one in force, and the one before in its grace. A renewal
 * replaces the former only, so that a grace begins once.
 */
const MAY_REPLACE = `(${HOLDS_TOKEN} or (
            s.previous_hash = any (asked.shown) and s.previous_until > asked.now
            and asked.grace_until is null
          ))`

/** With a token, a change of user or lifetime is refused as a whole unless the token is replaced. */
function needsToken({ token, signIn, ...lifetime }: CredentialChange = {}): boolean {
  return signIn !== undefined || (token !== undefined && Object.keys(lifetime).length > 0)
}
