import { assertFunction } from '../../http/adapter-arguments.ts'
import { errorResponse } from '../../http/fetch-exchange.ts'
import { type CrossSiteOptions, crossSiteGuard } from '../../http/guards/cross-site.ts'
import { elevatedGuard, type FreshOptions, freshGuard } from '../../http/guards/fresh.ts'
import {
  fetchRequest,
  isRefusal,
  type RequestGuard,
  redirectResponse,
} from '../../http/guards/request-guard.ts'
import type { Duration } from '../../options/duration.ts'

export type { CrossSiteOptions, FreshOptions }

/** A Route Handler. */
type Handler<Rest extends readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>

/**
 * Makes a Route Handler that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * In a Server Action, ask `session.authenticatedWithin` and call `redirect()` of Next. Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * the answer is a short plain text: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```tsx
 * import { cookies, headers } from 'next/headers'
 * import { after } from 'next/server'
 * import { nextSessions, requireFresh } from 'pg-sessions/next'
 *
 * const getSession = nextSessions(sessions, { cookies, headers, after })
 * const change = requireFresh(getSession, '5m', () => new Response('changed'))
 * export const POST = getSession.withSaving(change)
 * ```
 */
export function requireFresh<Rest extends readonly unknown[]>(
  getSession: () => Promise<object>,
  within: Duration,
  handler: Handler<Rest>,
  options?: FreshOptions,
): Handler<Rest> {
  const guard = freshGuard(within, options)
  assertFunction(
    handler,
    'requireFresh',
    'getSession and a handler',
    "requireFresh(getSession, '5m', (request) => new Response())",
  )
  return guarded(guard, getSession, handler)
}

/**
 * Makes a Route Handler that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * In a Server Action, ask `session.elevatedWithin` and call `redirect()` of Next. Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * the answer is a short plain text: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```tsx
 * import { cookies, headers } from 'next/headers'
 * import { after } from 'next/server'
 * import { nextSessions, requireElevated } from 'pg-sessions/next'
 *
 * const getSession = nextSessions(sessions, { cookies, headers, after })
 * const change = requireElevated(getSession, '10m', () => new Response('paid'))
 * export const POST = getSession.withSaving(change)
 * ```
 */
export function requireElevated<Rest extends readonly unknown[]>(
  getSession: () => Promise<object>,
  within: Duration,
  handler: Handler<Rest>,
  options?: FreshOptions,
): Handler<Rest> {
  const guard = elevatedGuard(within, options)
  assertFunction(
    handler,
    'requireElevated',
    'getSession and a handler',
    "requireElevated(getSession, '10m', (request) => new Response())",
  )
  return guarded(guard, getSession, handler)
}

/**
 * Makes a Route Handler that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * Next itself compares the origin of Server Actions. GET, HEAD and OPTIONS pass, and so do clients that are not browsers. The answer is a short plain text, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import { refuseCrossSite } from 'pg-sessions/next'
 *
 * export const POST = refuseCrossSite(() => new Response('done'))
 * ```
 */
export function refuseCrossSite<Rest extends readonly unknown[]>(
  handler: Handler<Rest>,
  options?: CrossSiteOptions,
): Handler<Rest> {
  assertFunction(
    handler,
    'refuseCrossSite',
    'a handler',
    'refuseCrossSite((request) => new Response())',
  )
  return guarded(crossSiteGuard(options), async () => undefined, handler)
}

function guarded<Rest extends readonly unknown[]>(
  guard: RequestGuard,
  getSession: () => Promise<unknown>,
  handler: Handler<Rest>,
): Handler<Rest> {
  return async (request, ...rest) => {
    const session = await getSession()
    let location: string | null
    try {
      location = await guard(fetchRequest(request, () => session))
    } catch (error) {
      if (isRefusal(error)) return errorResponse(error)
      throw error
    }
    return location === null ? handler(request, ...rest) : redirectResponse(location)
  }
}
