import type { MiddlewareHandler } from 'hono'
import { errorResponse } from '../../http/fetch-exchange.ts'
import { type CrossSiteOptions, crossSiteGuard } from '../../http/guards/cross-site.ts'
import { elevatedGuard, type FreshOptions, freshGuard } from '../../http/guards/fresh.ts'
import {
  fetchRequest,
  type RequestGuard,
  redirectResponse,
} from '../../http/guards/request-guard.ts'
import type { Duration } from '../../options/duration.ts'

export type { CrossSiteOptions, FreshOptions }

/**
 * Makes middleware that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to `app.onError`, or is answered with its status: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { honoSessions, requireFresh } from 'pg-sessions/hono'
 *
 * new Hono()
 *   .use(honoSessions(sessions))
 *   .post('/password', requireFresh('5m', { redirectTo: '/login' }), (c) => c.text('changed'))
 * ```
 */
export function requireFresh(within: Duration, options?: FreshOptions): MiddlewareHandler {
  return guarded(freshGuard(within, options))
}

/**
 * Makes middleware that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to `app.onError`, or is answered with its status: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { honoSessions, requireElevated } from 'pg-sessions/hono'
 *
 * new Hono()
 *   .use(honoSessions(sessions))
 *   .post('/payout', requireElevated('10m', { redirectTo: '/confirm-code' }), (c) => c.text('paid'))
 * ```
 */
export function requireElevated(within: Duration, options?: FreshOptions): MiddlewareHandler {
  return guarded(elevatedGuard(within, options))
}

/**
 * Makes middleware that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. An error goes to `app.onError`, or is answered, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { refuseCrossSite } from 'pg-sessions/hono'
 *
 * new Hono().use(refuseCrossSite())
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): MiddlewareHandler {
  return guarded(crossSiteGuard(options))
}

function guarded(guard: RequestGuard): MiddlewareHandler {
  return async (c, next) => {
    let location: string | null
    try {
      location = await guard(fetchRequest(c.req.raw, () => c.get('session')))
    } catch (error) {
      // Hono asks it for a response when the application has no error page.
      throw Object.defineProperty(Object(error), 'getResponse', {
        configurable: true,
        value: () => errorResponse(error),
      })
    }
    return location === null ? next() : redirectResponse(location)
  }
}
