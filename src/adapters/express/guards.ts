import type { RequestHandler } from 'express'
import { type CrossSiteOptions, crossSiteGuard } from '../../http/guards/cross-site.ts'
import { elevatedGuard, type FreshOptions, freshGuard } from '../../http/guards/fresh.ts'
import { nodeRequest, redirectOnNode } from '../../http/guards/node-guard.ts'
import type { RequestGuard } from '../../http/guards/request-guard.ts'
import type { Duration } from '../../options/duration.ts'

export type { CrossSiteOptions, FreshOptions }

/**
 * Makes middleware that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to Express's error handlers: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import { expressSessions, requireFresh } from 'pg-sessions/express'
 *
 * app.use(expressSessions(sessions))
 * app.post('/password', requireFresh('5m', { redirectTo: '/login' }), (req, res) => {
 *   res.send('changed')
 * })
 * ```
 */
export function requireFresh(within: Duration, options?: FreshOptions): RequestHandler {
  return guarded(freshGuard(within, options))
}

/**
 * Makes middleware that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to Express's error handlers: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import { expressSessions, requireElevated } from 'pg-sessions/express'
 *
 * app.use(expressSessions(sessions))
 * app.post('/payout', requireElevated('10m', { redirectTo: '/confirm-code' }), (req, res) => {
 *   res.send('paid')
 * })
 * ```
 */
export function requireElevated(within: Duration, options?: FreshOptions): RequestHandler {
  return guarded(elevatedGuard(within, options))
}

/**
 * Makes middleware that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. An error goes to Express's error handlers, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import { refuseCrossSite } from 'pg-sessions/express'
 *
 * app.use(refuseCrossSite())
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): RequestHandler {
  return guarded(crossSiteGuard(options))
}

function guarded(guard: RequestGuard): RequestHandler {
  return (request, response, next) => {
    guard(nodeRequest(request, () => request.session)).then((location) => {
      if (location === null) next()
      else redirectOnNode(response, location)
    }, next)
  }
}
