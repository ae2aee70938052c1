import type { IncomingMessage, ServerResponse } from 'node:http'
import { assertFunction } from '../../http/adapter-arguments.ts'
import { type CrossSiteOptions, crossSiteGuard } from '../../http/guards/cross-site.ts'
import { elevatedGuard, type FreshOptions, freshGuard } from '../../http/guards/fresh.ts'
import { nodeRequest, redirectOnNode } from '../../http/guards/node-guard.ts'
import type { RequestGuard } from '../../http/guards/request-guard.ts'
import type { Duration } from '../../options/duration.ts'

export type { CrossSiteOptions, FreshOptions }

/** Middleware of Connect, which plain Node can call with a `next` of its own. */
export type NodeGuard = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Makes Connect middleware that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to `next`: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @param sessionOf - Gives a request's session: `of` of `connectSessions`, or what `nodeSessions` gave.
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import { connectSessions, requireFresh } from 'pg-sessions/node'
 *
 * const withSessions = connectSessions(sessions)
 * app.use(withSessions)
 * app.use('/password', requireFresh(withSessions.of, '5m', { redirectTo: '/login' }))
 * ```
 */
export function requireFresh(
  sessionOf: (request: IncomingMessage, response: ServerResponse) => object,
  within: Duration,
  options?: FreshOptions,
): NodeGuard {
  assertFunction(
    sessionOf,
    'requireFresh',
    'the way to the session',
    "requireFresh(sessionOf, '5m') with sessionOf of nodeSessions, or withSession.of of connectSessions",
  )
  return guarded(freshGuard(within, options), sessionOf)
}

/**
 * Makes Connect middleware that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to `next`: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @param sessionOf - Gives a request's session: `of` of `connectSessions`, or what `nodeSessions` gave.
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import { connectSessions, requireElevated } from 'pg-sessions/node'
 *
 * const withSessions = connectSessions(sessions)
 * app.use(withSessions)
 * app.use('/payout', requireElevated(withSessions.of, '10m', { redirectTo: '/confirm-code' }))
 * ```
 */
export function requireElevated(
  sessionOf: (request: IncomingMessage, response: ServerResponse) => object,
  within: Duration,
  options?: FreshOptions,
): NodeGuard {
  assertFunction(
    sessionOf,
    'requireElevated',
    'the way to the session',
    "requireElevated(sessionOf, '10m') with sessionOf of nodeSessions, or withSession.of of connectSessions",
  )
  return guarded(elevatedGuard(within, options), sessionOf)
}

/**
 * Makes Connect middleware that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. An error goes to `next`, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import { refuseCrossSite } from 'pg-sessions/node'
 *
 * app.use(refuseCrossSite())
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): NodeGuard {
  return guarded(crossSiteGuard(options), () => undefined)
}

function guarded(
  guard: RequestGuard,
  sessionOf: (request: IncomingMessage, response: ServerResponse) => unknown,
): NodeGuard {
  return (request, response, next) => {
    guard(nodeRequest(request, () => sessionOf(request, response))).then((location) => {
      if (location === null) next()
      else redirectOnNode(response, location)
    }, next)
  }
}
