import { assertFunction } from '../../http/adapter-arguments.ts'
import type { DefaultData, Session } from '../../http/exchange.ts'
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

/** A handler of `withSession`. */
type Handler<Data extends object, Rest extends readonly unknown[]> = (
  request: Request,
  session: Session<Data>,
  ...rest: Rest
) => Response | Promise<Response>

/**
 * Makes a handler that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * the answer is a short plain text: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import { requireFresh, withSession } from 'pg-sessions/fetch'
 *
 * const changePassword = withSession(
 *   sessions,
 *   requireFresh('5m', () => new Response('changed'), { redirectTo: '/login' }),
 * )
 * ```
 */
export function requireFresh<
  Data extends object = DefaultData,
  Rest extends readonly unknown[] = readonly [],
>(within: Duration, handler: Handler<Data, Rest>, options?: FreshOptions): Handler<Data, Rest> {
  const guard = freshGuard(within, options)
  assertFunction(
    handler,
    'requireFresh',
    'a handler',
    "requireFresh('5m', (request, session) => new Response())",
  )
  return guarded(guard, handler)
}

/**
 * Makes a handler that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * the answer is a short plain text: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import { requireElevated, withSession } from 'pg-sessions/fetch'
 *
 * const payOut = withSession(
 *   sessions,
 *   requireElevated('10m', () => new Response('paid'), { redirectTo: '/confirm-code' }),
 * )
 * ```
 */
export function requireElevated<
  Data extends object = DefaultData,
  Rest extends readonly unknown[] = readonly [],
>(within: Duration, handler: Handler<Data, Rest>, options?: FreshOptions): Handler<Data, Rest> {
  const guard = elevatedGuard(within, options)
  assertFunction(
    handler,
    'requireElevated',
    'a handler',
    "requireElevated('10m', (request, session) => new Response())",
  )
  return guarded(guard, handler)
}

/**
 * Makes a handler that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. The answer is a short plain text, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import { refuseCrossSite, withSession } from 'pg-sessions/fetch'
 *
 * const handler = withSession(sessions, refuseCrossSite(() => new Response('done')))
 * ```
 */
export function refuseCrossSite<
  Data extends object = DefaultData,
  Rest extends readonly unknown[] = readonly [],
>(handler: Handler<Data, Rest>, options?: CrossSiteOptions): Handler<Data, Rest> {
  assertFunction(
    handler,
    'refuseCrossSite',
    'a handler',
    'refuseCrossSite((request, session) => new Response())',
  )
  return guarded(crossSiteGuard(options), handler)
}

function guarded<Data extends object, Rest extends readonly unknown[]>(
  guard: RequestGuard,
  handler: Handler<Data, Rest>,
): Handler<Data, Rest> {
  return async (request, session, ...rest) => {
    let location: string | null
    try {
      location = await guard(fetchRequest(request, () => session))
    } catch (error) {
      if (isRefusal(error)) return errorResponse(error)
      throw error
    }
    return location === null ? handler(request, session, ...rest) : redirectResponse(location)
  }
}
