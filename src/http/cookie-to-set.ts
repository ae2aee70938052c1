import { parseSetCookie } from 'cookie-es'

/** A cookie to be set, as frameworks take it that write the `Set-Cookie` line themselves. */
export interface CookieToSet {
  readonly name: string
  readonly value: string
  readonly path: string
  readonly domain?: string
  readonly httpOnly?: boolean
  readonly secure?: boolean
  readonly sameSite?: 'lax' | 'strict' | 'none'
  readonly partitioned?: boolean
  readonly priority?: 'low' | 'medium' | 'high'
  /** Seconds. */
  readonly maxAge?: number
  readonly expires?: Date
}

/** Reads a `Set-Cookie` line of ours, as {@link ResponseHeaders} has them. */
export function cookieToSet(line: string): CookieToSet {
  const cookie = parseSetCookie(line, { decode: (value) => value })
  return { ...cookie, path: cookie?.path ?? '/' } as CookieToSet
}
