import type { CookieData, CookieExpiry } from './cookie-data.ts'
import { cookieText } from './cookie-text.ts'

/**
 * `req.session.cookie` of a stored session. It behaves as express-session's own `Cookie` does, which new
 * sessions have: the same values are taken, computed and refused.
 */
export class SessionCookie {
  declare path: string | undefined
  declare httpOnly: boolean | undefined
  /** What each access sets `maxAge` back to. */
  declare originalMaxAge: CookieExpiry
  declare _expires: CookieExpiry
  declare domain?: string | undefined
  declare secure?: boolean | 'auto' | undefined
  declare sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto' | undefined
  declare partitioned?: boolean | undefined
  declare priority?: 'low' | 'medium' | 'high' | undefined

  /** @param stored - A cookie as JSON gives it. Attributes of the application's own stay on it. */
  constructor(stored: CookieData) {
    this.path = '/'
    this.maxAge = null
    this.httpOnly = true
    for (const [name, value] of Object.entries(stored)) {
      // `data` is computed, and `__proto__` would change what the object is.
      if (name !== 'data' && name !== '__proto__') Reflect.set(this, name, value)
    }
    if (typeof stored.expires === 'string') this.expires = new Date(stored.expires)
    this.originalMaxAge = stored.originalMaxAge
  }

  /**
   * When the cookie ends: a `Date`. Anything false means that it ends with the browser. Setting it also
   * sets `originalMaxAge`.
   */
  get expires(): CookieExpiry {
    return this._expires
  }

  set expires(expiry: CookieExpiry) {
    this._expires = expiry
    this.originalMaxAge = this.maxAge
  }

  /**
   * Milliseconds until the cookie ends, or whatever else `expires` is when it is not a `Date`.
   *
   * @throws {TypeError} If it is set to anything true that is neither a number nor a `Date`.
   */
  get maxAge(): CookieExpiry {
    return this._expires instanceof Date ? this._expires.valueOf() - Date.now() : this._expires
  }

  set maxAge(milliseconds: CookieExpiry) {
    const isGiven = typeof milliseconds === 'number' || milliseconds instanceof Date
    if (milliseconds && !isGiven) throw new TypeError('maxAge must be a number or Date')
    this.expires =
      typeof milliseconds === 'number' ? new Date(Date.now() + milliseconds) : milliseconds
  }

  /** The attributes, as they are sent to the browser and stored. */
  get data(): CookieData {
    return {
      originalMaxAge: this.originalMaxAge,
      partitioned: this.partitioned,
      priority: this.priority,
      expires: this._expires,
      secure: this.secure,
      httpOnly: this.httpOnly,
      domain: this.domain,
      path: this.path,
      sameSite: this.sameSite,
    }
  }

  /**
   * Writes a `Set-Cookie` header with these attributes.
   *
   * @throws {TypeError} If the name or an attribute is not one.
   */
  serialize(name: string, value: string): string {
    return cookieText(name, value, this.data)
  }

  toJSON(): CookieData {
    return this.data
  }
}

// A `for … in` over express-session's cookie lists these too.
for (const name of ['expires', 'maxAge', 'data', 'serialize', 'toJSON']) {
  const { prototype } = SessionCookie
  const member = Object.getOwnPropertyDescriptor(prototype, name)
  Object.defineProperty(prototype, name, { ...member, enumerable: true })
}
