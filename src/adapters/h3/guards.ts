import type { Middleware } from 'h3'
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
 * an error goes to `onError`: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import { H3 } from 'h3'
 * import { h3Sessions, requireFresh } from 'pg-sessions/h3'
 *
 * new H3()
 *   .register(h3Sessions(sessions))
 *   .use('/password', requireFresh('5m', { redirectTo: '/login' }))
 * ```
 */
export function requireFresh(within: Duration, options?: FreshOptions): Middleware {
  return guarded(freshGuard(within, options))
}

/**
 * Makes middleware that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to `onError`: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import { H3 } from 'h3'
 * import { h3Sessions, requireElevated } from 'pg-sessions/h3'
 *
 * new H3()
 *   .register(h3Sessions(sessions))
 *   .use('/payout', requireElevated('10m', { redirectTo: '/confirm-code' }))
 * ```
 */
export function requireElevated(within: Duration, options?: FreshOptions): Middleware {
  return guarded(elevatedGuard(within, options))
}

/**
 * Makes middleware that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. An error goes to `onError`, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import { H3 } from 'h3'
 * import { refuseCrossSite } from 'pg-sessions/h3'
 *
 * new H3().use(refuseCrossSite())
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): Middleware {
  return guarded(crossSiteGuard(options))
}

function guarded(guard: RequestGuard): Middleware {
  return async (event, next) => {
    const location = await guard(fetchRequest(event.req, () => event.context.session))
    return location === null ? next() : redirectResponse(location)
  }
}
