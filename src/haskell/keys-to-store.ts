import { ConfigurationError, UnsupportedError } from '../errors.ts'
import type { CredentialChange, NewSession } from '../store/session-store.ts'
import { keyOf } from './wai-tokens.ts'

/** The keys that a change of the tables is about, unless it asks for what these have no place for. */

export const NO_USERS =
  "The tables of wai-session-postgresql have no place for a user. To log in write session.clear(), which brings a new key, and keep who it is in an entry: session.set('user', …)."
const NO_LIFETIME =
  'The tables of wai-session-postgresql have no place for the lifetime of one session: leave out setLifetime.'
const NO_GRACE =
  "The tables of wai-session-postgresql have no place for a second key: write renewInterval: 'never'."

/**
 * The key of a session that is to begin.
 *
 * @throws {UnsupportedError} It is to have a user or a lifetime of its own.
 */
export function newKey({ secretHash, userId, ownIdleTimeout, absolute }: NewSession): string {
  if (userId !== null) throw new UnsupportedError(NO_USERS)
  if (ownIdleTimeout !== null || absolute !== Number.POSITIVE_INFINITY) {
    throw new UnsupportedError(NO_LIFETIME)
  }
  return checkedKey(secretHash)
}

/**
 * The key that is to take the place of others; undefined when none is.
 *
 * @throws {UnsupportedError} A user, a lifetime of its own or a grace is asked for.
 */
export function replacedKey({
  token,
  signIn,
  absoluteExpiresAt,
  ownIdleTimeout,
}: CredentialChange): { readonly from: readonly string[]; readonly to: string } | undefined {
  if (signIn !== undefined) throw new UnsupportedError(NO_USERS)
  if (absoluteExpiresAt !== undefined || (ownIdleTimeout ?? null) !== null) {
    throw new UnsupportedError(NO_LIFETIME)
  }
  if (token === undefined) return undefined
  if (token.grace !== undefined) throw new UnsupportedError(NO_GRACE)
  const from = token.from.map(keyOf).filter((key) => key !== null)
  return { from, to: checkedKey(token.to) }
}

/** Tokens of another form would store what the other side could not read from any cookie. */
function checkedKey(secretHash: Uint8Array): string {
  const key = keyOf(secretHash)
  if (key !== null) return key
  throw new ConfigurationError(
    'The store for wai-session-postgresql keeps keys, not hashes of tokens: write tokens: waiTokens(), or take all settings from waiSettings().',
  )
}
