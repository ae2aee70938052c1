import type { CookieToSet } from '../../http/cookie-to-set.ts'

/** What the middleware needs of Astro's `APIContext`. */
export interface AstroContext {
  readonly request: Request
  readonly locals: object
  readonly isPrerendered: boolean
  /** The file that answers, like `/blog/[slug]`. */
  readonly routePattern: string
  readonly cookies: {
    set(name: string, value: string, attributes: CookieAttributes): void
  }
  /** Astro's cache of whole responses, where it has one. */
  readonly cache?: {
    readonly enabled: boolean
    set(input: false): void
  }
}

/** How Astro takes a cookie's attributes. */
type CookieAttributes = Omit<CookieToSet, 'name' | 'value'> & {
  readonly encode: (value: string) => string
}
