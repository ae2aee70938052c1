/** Writes the `Set-Cookie` headers. */

import { serializeCookie } from 'cookie-es'
import { InvalidValueError } from '../errors.ts'
import type { ResolvedCookie } from './cookie-settings.ts'

/** 400 days in seconds; browsers keep no cookie longer. */
const LONGEST_MAX_AGE = 400 * 24 * 60 * 60
/** Octets of name and value together, beyond which browsers ignore the cookie. */
const LARGEST_COOKIE = 4096
/** Any number of `cookie-octet`, RFC 6265 section 4.1.1. */
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/

/**
 * The value of a `Set-Cookie` header that gives the client a cookie.
 *
 * @param maxAgeSeconds - How long the client keeps it; parts of a second are dropped, and more than
 *   400 days become 400 days (RFC 6265bis section 5.5). Null for as long as the browser runs.
 * @throws {InvalidValueError} The value could not be read back: it holds what a cookie may not, or
 *   is too long. It is not quoted in the message.
 * @example
 * ```ts
 * import { resolveCookie } from './cookie-settings.ts'
 *
 * setCookieHeader(resolveCookie(), 'abc', 3600)
 * // '__Host-id=abc; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax'
 * ```
 */
export function setCookieHeader(
  cookie: ResolvedCookie,
  value: string,
  maxAgeSeconds: number | null,
): string {
  // Checked here because serializeCookie quotes a bad value, that is the token, in its message.
  if (!COOKIE_VALUE.test(value) || cookie.name.length + value.length > LARGEST_COOKIE) {
    throw new InvalidValueError(
      'The cookie value',
      'is too long for a cookie, or holds characters that a cookie cannot.',
    )
  }
  return write(cookie, value, maxAgeSeconds === null ? {} : { maxAge: wholeSeconds(maxAgeSeconds) })
}

/**
 * The value of a `Set-Cookie` header that makes the client drop the cookie. It has the same
 * attributes as the cookie, since a client drops only what matches by name, domain and path (and,
 * for a partitioned cookie, by partition).
 */
export function clearCookieHeader(cookie: ResolvedCookie): string {
  return write(cookie, '', { maxAge: 0, expires: new Date(0) })
}

function write(
  cookie: ResolvedCookie,
  value: string,
  lifetime: { maxAge?: number; expires?: Date },
): string {
  const { name, domain, path, sameSite, httpOnly, secure, partitioned, priority } = cookie
  return serializeCookie(
    {
      name,
      value,
      path,
      sameSite,
      httpOnly,
      secure,
      partitioned,
      ...(domain === null ? {} : { domain }),
      ...(priority === null ? {} : { priority }),
      ...lifetime,
    },
    { encode: (text) => text },
  )
}

function wholeSeconds(seconds: number): number {
  if (Number.isNaN(seconds)) throw new InvalidValueError('maxAgeSeconds', 'is not a number.')
  return Math.floor(Math.min(Math.max(seconds, 0), LONGEST_MAX_AGE))
}
