import type { SessionContent } from '../by-sid/session-content.ts'
import { textsOf } from '../by-sid/session-texts.ts'

/** A session as koa-session stores it: its data, and `_maxAge` and `_expire`, or `_session`. */

/** koa-session asks its stores to keep a session this much longer than its cookie. */
const LONGER = 10_000

/** What such an object says. */
export function contentOf(
  session: object,
  maxAge: number | 'session' | undefined,
  userId: string | null | undefined,
  mayBeStored: boolean,
): SessionContent {
  const texts = textsOf(session)
  // It moves with every access, so the row alone holds it.
  texts.delete('_expire')
  const lasts = typeof maxAge === 'number' ? maxAge : null
  return {
    texts,
    terms: { expiresIn: lasts, ownIdleTimeout: lasts },
    isHidden,
    userId,
    mayBeStored,
  }
}

/** Gives a session the expiry back that it was stored without. */
export function withExpiry(
  session: Record<string, unknown>,
  expiresIn: number,
): Record<string, unknown> {
  if (typeof session._maxAge !== 'number') return session
  return { ...session, _expire: Date.now() + expiresIn - LONGER }
}

const ITS_OWN = new Set(['isNew', 'length', 'populated', 'maxAge', 'externalKey'])

/** Keys that koa-session's object drops or has another use for, whatever stored them. */
function isHidden(key: string): boolean {
  if (key === '_maxAge' || key === '_session') return false
  return key.startsWith('_') || ITS_OWN.has(key)
}
