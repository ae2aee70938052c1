import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readCookie } from '../cookie/cookie-header.ts'
import type { Action } from './requested-view.ts'

/**
 * Proves that a form comes from the page that this browser was shown, for this administrator and this action: an
 * HMAC under a key that only the browser keeps, in a cookie. So processes need no common secret, and a token that
 * leaks serves no other action and no other browser.
 */
export class FormTokens {
  readonly #cookie: string
  readonly #attributes: string

  /** @param isSecure - Whether cookies travel over https only, as those of the sessions do. */
  constructor(isSecure: boolean) {
    this.#cookie = isSecure ? '__Host-pg-sessions-admin' : 'pg-sessions-admin'
    this.#attributes = `; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
  }

  /** Makes the token of a form; `setCookie` is null if the browser has a key already. */
  issue(
    cookieHeader: string | null,
    actor: string,
    action: Action,
  ): { readonly token: string; readonly setCookie: string | null } {
    const known = this.#key(cookieHeader)
    const key = known ?? randomBytes(32).toString('base64url')
    const setCookie = known === null ? `${this.#cookie}=${key}${this.#attributes}` : null
    return { token: proofOf(key, actor, action).toString('base64url'), setCookie }
  }

  /** Whether a form's token is that of this browser, administrator and action. */
  accepts(
    cookieHeader: string | null,
    actor: string,
    action: Action,
    token: string | null,
  ): boolean {
    const key = this.#key(cookieHeader)
    if (key === null || token === null || !/^[\w-]{43}$/.test(token)) return false
    return timingSafeEqual(Buffer.from(token, 'base64url'), proofOf(key, actor, action))
  }

  /** Null if there is none, or several: one of them may be another site's. */
  #key(cookieHeader: string | null): string | null {
    const values = readCookie(cookieHeader, this.#cookie)
    const [key, ...others] = values
    return key !== undefined && others.length === 0 && /^[\w-]{43}$/.test(key) ? key : null
  }
}

function proofOf(key: string, actor: string, { kind, target }: Action): Buffer {
  const hmac = createHmac('sha256', key)
  return hmac.update(JSON.stringify([actor, kind, target])).digest()
}
