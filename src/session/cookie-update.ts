/** What the response's cookie has to say about the session. */
export type CookieUpdate =
  | { readonly kind: 'none' }
  | { readonly kind: 'ended' }
  | {
      readonly kind: 'issued'
      readonly token: string
      /** Milliseconds to the session's absolute deadline; `Infinity` for none. */
      readonly remaining: number
      /** Whether the session has a lifetime of its own, and so outlives the browser. */
      readonly isRemembered: boolean
    }

export const NO_COOKIE_UPDATE: CookieUpdate = Object.freeze({ kind: 'none' })
