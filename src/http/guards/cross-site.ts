import { CrossSiteError } from '../../errors.ts'
import { type OptionTable, option, refuse } from '../../options/option.ts'
import { readOptions } from '../../options/read-options.ts'
import type { GuardedRequest, RequestGuard } from './request-guard.ts'

/** Options of `refuseCrossSite`. */
export interface CrossSiteOptions {
  /** Origins of other sites that may send requests: `['https://admin.example.com']`. Defaults to none. */
  readonly allow?: readonly string[] | undefined
}

const TAKES = "a list of origins, such as ['https://admin.example.com']"
const ORIGIN =
  "an origin in lower case, without a path or a wildcard, such as 'https://admin.example.com'"

const TABLE: OptionTable<Required<CrossSiteOptions>> = {
  allow: option<readonly string[]>(TAKES, [], (value, name) => {
    if (!Array.isArray(value)) return refuse(name, TAKES, value)
    for (const origin of value) if (!isOrigin(origin)) refuse(`Each of ${name}`, ORIGIN, origin)
    return value as readonly string[]
  }),
}

/** Methods that must not change anything. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses requests that pages of other origins send, which is what cross-site request forgery needs.
 *
 * What browsers say themselves decides: `Sec-Fetch-Site`, which no page can change, and `Origin` where a
 * browser does not send it (old ones, plain http). A client that sends neither is not a browser, and carries no
 * cookie that it was not given. Requests that must not change anything pass: GET, HEAD and OPTIONS.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @see https://web.dev/articles/fetch-metadata
 */
export function crossSiteGuard(options: CrossSiteOptions = {}): RequestGuard {
  const { allow } = readOptions('refuseCrossSite', TABLE, options)
  return async (request) => {
    if (SAFE.has(request.method.toUpperCase())) return null
    const origin = request.header('origin')
    if (isOwn(request, origin)) return null
    if (origin !== undefined && allow?.includes(origin)) return null
    throw new CrossSiteError()
  }
}

function isOwn(request: GuardedRequest, origin: string | undefined): boolean {
  const site = request.header('sec-fetch-site')
  // `none`: the user typed it. Subdomains and other ports are `same-site`, and may be someone else's.
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (origin === undefined) return true
  const host = request.header('host') ?? hostOf(request.url)
  const from = URL.canParse(origin) ? new URL(origin) : null
  if (host === undefined || from === null) return false
  // Without the scheme, which a proxy that ends TLS does not pass on; it says which port can be left out.
  const own = `${from.protocol}//${host}`
  return from.host !== '' && URL.canParse(own) && new URL(own).host === from.host
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined
}

function isOrigin(origin: unknown): boolean {
  if (typeof origin !== 'string' || origin.includes('*')) return false
  return URL.canParse(origin) && new URL(origin).origin === origin
}
