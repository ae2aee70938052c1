import { createHmac, KeyObject, timingSafeEqual } from 'node:crypto'
import { ConfigurationError } from '../../errors.ts'
import type { IssuedToken, TokenFormat } from '../../session/token.ts'
import { plainTokens, sidIdentity } from '../by-sid/sid-identity.ts'

/** A secret that signs cookies, in any form that express-session takes. */
export type CookieSecret = string | Uint8Array | KeyObject

/** How another middleware signs its cookie. */
export interface SignedTokenOptions {
  /** The middleware's own `secret`. Of several, the first signs, and all are accepted. */
  readonly secret: CookieSecret | readonly CookieSecret[]
  /** The text before the sid in the cookie. Defaults to `'s:'`; write `''` for @fastify/session. */
  readonly prefix?: string
}

/**
 * Makes and reads the cookie of express-session, so that native sessions share it.
 *
 * The cookie holds `s:`, the sid, a dot and HMAC-SHA-256 over the sid in base64 without padding,
 * percent-encoded. New tokens are native ones as sids. A cookie that is not signed, or is spelt
 * in any other way, is refused without asking the database.
 *
 * @throws {ConfigurationError} If there is no secret, or one is empty or not a secret.
 * @example
 * ```ts
 * import { expressSessionTokens } from 'pg-sessions/express-session'
 *
 * const sessions = createSessions({
 *   database,
 *   tokens: expressSessionTokens({ secret: 'keep this one to yourself' }),
 *   cookie: { name: 'connect.sid' },
 * })
 * ```
 */
export function expressSessionTokens(
  { secret, prefix = 's:' }: SignedTokenOptions = Object(undefined),
): TokenFormat {
  const secrets = (Array.isArray(secret) ? secret : [secret]).map(checkedSecret)
  if (secrets.length === 0) refuseSecret()
  const signed = ({ id, token: sid, secretHash }: IssuedToken): IssuedToken => {
    const text = `${prefix}${sid}.${sign(sid, secrets[0] as CookieSecret)}`
    return { id, token: encodeURIComponent(text), secretHash }
  }
  return {
    issue: () => signed(plainTokens.issue()),
    reissue: (id) => signed(plainTokens.reissue(id)),
    read(token) {
      const sid = readSigned(token, prefix, secrets)
      return sid === null ? null : sidIdentity(sid).proof
    },
  }
}

function checkedSecret(secret: unknown): CookieSecret {
  if (typeof secret === 'string' && secret !== '') return secret
  if (secret instanceof KeyObject && secret.type === 'secret') return secret
  // A copy, so that wiping or reusing the application's own buffer changes no cookie.
  if (secret instanceof Uint8Array && secret.length > 0) return Uint8Array.from(secret)
  return refuseSecret()
}

function refuseSecret(): never {
  throw new ConfigurationError(
    'secret must be the secret that express-session signs its cookie with: a string, a Buffer or a secret KeyObject that is not empty, or a list of them.',
  )
}

function readSigned(
  token: string,
  prefix: string,
  secrets: readonly CookieSecret[],
): string | null {
  // @fastify/cookie leaves base64 as it is.
  const text = prefix === '' && /^[\w+/.-]+$/.test(token) ? token : decode(token)
  if (text === null || !text.startsWith(prefix)) return null
  const dot = text.lastIndexOf('.')
  if (dot <= prefix.length) return null
  const sid = text.slice(prefix.length, dot)
  const signature = Buffer.from(text.slice(dot + 1))
  const isSigned = secrets.some((secret) => {
    const right = Buffer.from(sign(sid, secret))
    return right.length === signature.length && timingSafeEqual(right, signature)
  })
  return isSigned ? sid : null
}

function sign(sid: string, secret: CookieSecret): string {
  return createHmac('sha256', secret).update(sid).digest('base64').replace(/=+$/, '')
}

/** The text of a cookie that is percent-encoded in the one way that express-session does it. */
function decode(token: string): string | null {
  try {
    const text = decodeURIComponent(token)
    return encodeURIComponent(text) === token ? text : null
  } catch {
    // Not percent-encoded.
    return null
  }
}
