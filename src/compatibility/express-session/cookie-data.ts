/** An expiry as handlers set it. express-session checks it only when it writes the cookie. */
export type CookieExpiry = Date | string | number | false | null | undefined

/** The attributes of a cookie as a session keeps them. */
export interface CookieData {
  readonly originalMaxAge?: CookieExpiry
  readonly expires?: CookieExpiry
  readonly path?: string | undefined
  readonly domain?: string | undefined
  readonly httpOnly?: boolean | undefined
  readonly secure?: boolean | 'auto' | undefined
  readonly sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto' | undefined
  readonly partitioned?: boolean | undefined
  readonly priority?: 'low' | 'medium' | 'high' | undefined
}
