import type { CredentialChange, SaveResult, SessionChange } from '../../store/session-store.ts'
import type { AnswerBytes } from '../answer-bytes.ts'
import { boolean, bytes, float, instant, type ParameterTypes, text } from '../parameter-types.ts'
import { packTimes, readTimes } from '../session-columns.ts'

/** A change of token, user or lifetime, by the statement of one call and by that of several. */

export const credentialTypes: ParameterTypes<Credentials> = {
  token: bytes,
  signIn: text,
  factor: text,
  absolute: instant,
  keepsIdle: boolean,
  ownIdle: float,
  successor: bytes,
  needsToken: boolean,
}

/** What a change of credentials gives, but for what each row is asked first. */
interface Credentials {
  readonly token: Uint8Array | null
  readonly signIn: string | null
  readonly factor: string | null
  readonly absolute: number | null
  readonly keepsIdle: boolean
  readonly ownIdle: number | null
  readonly successor: Uint8Array | null
  readonly needsToken: boolean
}

export function giveCredentials({ credentials }: SessionChange): Credentials {
  const { token, signIn, factor, absoluteExpiresAt, ownIdleTimeout } = credentials ?? {}
  return {
    token: token?.to ?? null,
    signIn: signIn?.userId ?? null,
    factor: factor ?? null,
    absolute: absoluteExpiresAt ?? null,
    keepsIdle: ownIdleTimeout === undefined,
    ownIdle: ownIdleTimeout ?? null,
    successor: token?.grace?.successor ?? null,
    needsToken: needsToken(credentials),
  }
}

/** What the change is made of, as SQL. What else it needs comes from the step `asked`. */
export type CredentialSql = Readonly<Record<keyof Credentials | 'id' | 'user' | 'version', string>>

/**
 * Replaces the token if the one that the request holds still works. That one works on for a while when this
 * is a renewal, and is dead when it is anything else. When it does not work, a change of user or lifetime is
 * refused as a whole; anything else is done without it.
 */
export function changeCredentials(given: CredentialSql): string {
  const newAbsolute = `coalesce(${given.absolute}, s.absolute_expires_at)`
  return `last_access_at = greatest(s.last_access_at, asked.now),
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
          purge_at = greatest(s.purge_at, least(${newAbsolute}, asked.purge_until))`
}

/** The answer for a session of the step `live`. */
export function packSaved(token: string): string {
  return `boolsend(coalesce(secret_hash = ${token}, false)) || int4send(sign_ins) || ${packTimes('live')}`
}

export function readSaved(answer: AnswerBytes): SaveResult {
  const rotated = answer.boolean()
  const version = String(answer.int())
  return { status: 'saved', rotated, version, times: readTimes(answer) }
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

/** Whether the token shown allows the change as a whole. */
export function isGranted({ needsToken }: Pick<CredentialSql, 'needsToken'>): string {
  return `(not ${needsToken} or ${MAY_REPLACE})`
}

/** With a token, a change of user or lifetime is refused as a whole unless the token is replaced. */
function needsToken({ token, signIn, ...lifetime }: CredentialChange = {}): boolean {
  return signIn !== undefined || (token !== undefined && Object.keys(lifetime).length > 0)
}
