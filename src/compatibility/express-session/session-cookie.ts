/** The attributes of a cookie as a session keeps them. */
export interface CookieData {
  readonly originalMaxAge?: number | null | undefined
  readonly expires?: Date | string | null | undefined
  readonly path?: string | undefined
  readonly domain?: string | undefined
  readonly httpOnly?: boolean | undefined
  readonly secure?: boolean | 'auto' | undefined
  readonly sameSite?: boolean | 'lax' | 'strict' | 'none' | undefined
  readonly partitioned?: boolean | undefined
  readonly priority?: 'low' | 'medium' | 'high' | undefined
}

/** What `req.session.cookie` is on a session that was stored before: as express-session's own. */
export class SessionCookie {
  path = '/'
  httpOnly = true
  originalMaxAge: number | null = null
  _expires: Date | null = null
  declare domain?: string | undefined
  declare secure?: boolean | 'auto' | undefined
  declare sameSite?: boolean | 'lax' | 'strict' | 'none' | undefined
  declare partitioned?: boolean | undefined
  declare priority?: 'low' | 'medium' | 'high' | undefined

  /** @param stored - What JSON has made of a cookie. */
  constructor(stored: CookieData) {
    const { expires, originalMaxAge, ...attributes } = stored
    Object.assign(this, attributes)
    this.expires = typeof expires === 'string' ? new Date(expires) : (expires ?? null)
    if (originalMaxAge !== undefined) this.originalMaxAge = originalMaxAge
  }

  /** When the cookie ends; null when it ends with the browser. Setting it also sets `originalMaxAge`. */
  get expires(): Date | null {
    return this._expires
  }

  set expires(date: Date | null) {
    this._expires = date
    this.originalMaxAge = this.maxAge
  }

  /** Milliseconds until the cookie ends; null when it ends with the browser. */
  get maxAge(): number | null {
    return this._expires instanceof Date ? this._expires.valueOf() - Date.now() : this._expires
  }

  set maxAge(milliseconds: number | null) {
    this._expires =
      typeof milliseconds === 'number' ? new Date(Date.now() + milliseconds) : milliseconds
    this.originalMaxAge = milliseconds
  }

  /** The attributes, as they are written to the client and stored. */
  get data(): CookieData {
    const { originalMaxAge, partitioned, priority, secure, httpOnly, domain, path, sameSite } = this
    const expires = this._expires
    return {
      originalMaxAge,
      partitioned,
      priority,
      expires,
      secure,
      httpOnly,
      domain,
      path,
      sameSite,
    }
  }

  toJSON(): CookieData {
    return this.data
  }
}
