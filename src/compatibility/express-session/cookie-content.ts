import { InvalidValueError } from '../../errors.ts'
import type { SessionContent, SessionTerms } from '../by-sid/session-content.ts'
import { type SessionTexts, textsOf } from '../by-sid/session-texts.ts'

/** A session object of express-session's form: its data, and a `cookie` that says how long it lives. */

/**
 * What such an object says, all of it or of its cookie alone.
 *
 * @param stored - The text of the cookie as it was last stored.
 */
export function contentOf(
  session: object,
  keys: 'all' | 'cookie',
  stored: string | undefined,
  userId: string | null | undefined,
): SessionContent {
  const cookie: unknown = Reflect.get(session, 'cookie')
  const { text, terms } = isCookie(session, cookie) ? readCookie(cookie, stored) : NO_COOKIE
  const texts: SessionTexts = keys === 'all' ? textsOf(session) : new Map()
  if (text !== null) texts.set('cookie', text)
  return {
    texts,
    terms,
    userId,
    isHidden: (key) => keys === 'cookie' || isHidden(session, key),
    mayBeStored: isPlain(session),
  }
}

/**
 * Gives a session's cookie back the expiry that it was stored without.
 *
 * @param expiresIn - Milliseconds until the session ends, as its row has it.
 */
export function withExpiry(
  session: Record<string, unknown>,
  expiresIn: number,
): Record<string, unknown> {
  const { cookie } = session
  if (!isCookie(session, cookie) || 'expires' in cookie) return session
  if (typeof Reflect.get(cookie, 'originalMaxAge') === 'number') {
    const expires = new Date(Date.now() + Math.min(expiresIn, LONGEST))
    Object.assign(cookie, { expires: expires.toISOString() })
  }
  return session
}

/** Whether the session has a cookie of its own, rather than one that only carries something along. */
export function isCookie(session: object, cookie: unknown): cookie is object {
  const isOwn = Object.prototype.propertyIsEnumerable.call(session, 'cookie')
  return isOwn && typeof cookie === 'object' && cookie !== null
}

/**
 * Refuses a cookie that @fastify/session fails to write once its session is saved. It does so in the callback of the
 * store, where what it throws would end the process.
 *
 * @throws {InvalidValueError} Its `expires` is not a date.
 */
export function refuseInvalidExpiry(session: object): void {
  const cookie: unknown = Reflect.get(session, 'cookie')
  if (typeof cookie !== 'object' || cookie === null) return
  // express-session's cookie, which has this as well, skips such an expiry.
  if (!('_expires' in cookie) || 'data' in cookie) return
  const { _expires: expires } = cookie
  if (!expires || (expires instanceof Date && !Number.isNaN(expires.getTime()))) return
  throw new InvalidValueError(
    'session.cookie.expires',
    'is not a valid date. Give cookie.maxAge a number of milliseconds, or cookie.expires a Date.',
  )
}

const NO_COOKIE = {
  text: null,
  terms: { expiresIn: null, ownIdleTimeout: undefined },
} as const

/**
 * Reads a cookie as JSON has it, where an invalid date is none.
 *
 * When each access moves the expiry on, the row alone holds it: stored with the cookie, it would be a
 * write for every read.
 */
function readCookie(
  cookie: object,
  stored: string | undefined,
): { readonly text: string; readonly terms: SessionTerms } {
  const plain = JSON.parse(JSON.stringify(cookie)) as Record<string, unknown>
  const { expires, originalExpires: _, ...sliding } = plain
  const deadline = typeof expires === 'string' ? Date.parse(expires) : Number.NaN
  const lasts = [deadline - Date.now(), plain.originalMaxAge, plain.maxAge].find(isDuration)
  const expiresIn = lasts === undefined ? null : Math.min(lasts, LONGEST)
  const { originalMaxAge } = plain
  if (typeof originalMaxAge !== 'number') {
    return { text: JSON.stringify(plain), terms: { expiresIn, ownIdleTimeout: null } }
  }
  const steady = steadied(originalMaxAge, stored)
  return {
    text: JSON.stringify({
      ...sliding,
      ...(typeof expires === 'string' ? {} : { expires }),
      originalMaxAge: steady,
    }),
    terms: {
      expiresIn,
      ownIdleTimeout: steady >= 1 ? Math.round(Math.min(steady, LONGEST)) : null,
    },
  }
}

/** Ten years: longer than any session should live, and well within what PostgreSQL's clock takes. */
const LONGEST = 3650 * 86_400_000

/**
 * The `maxAge` that is stored when this one is nearly the same. express-session's cookie recomputes it
 * from its expiry at every request, by the clock, and so loses a millisecond now and then.
 */
function steadied(maxAge: number, stored: string | undefined): number {
  const before: unknown =
    stored === undefined ? undefined : (JSON.parse(stored) as CookieLife | null)?.originalMaxAge
  if (typeof before !== 'number') return maxAge
  return Math.abs(maxAge - before) <= Math.min(100, before / 20) ? before : maxAge
}

interface CookieLife {
  readonly originalMaxAge?: unknown
}

function isDuration(milliseconds: unknown): milliseconds is number {
  return typeof milliseconds === 'number' && !Number.isNaN(milliseconds)
}

/** A key that is also the name of a method, say, which the middleware's object therefore left out. */
function isHidden(session: object, key: string): boolean {
  return key in session && !Object.prototype.propertyIsEnumerable.call(session, key)
}

function isPlain(session: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(session)
  return prototype === Object.prototype || prototype === null
}
