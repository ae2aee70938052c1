import type { FastifyReply, FastifyRequest } from 'fastify'
import { type CrossSiteOptions, crossSiteGuard } from '../../http/guards/cross-site.ts'
import { elevatedGuard, type FreshOptions, freshGuard } from '../../http/guards/fresh.ts'
import { nodeRequest } from '../../http/guards/node-guard.ts'
import type { RequestGuard } from '../../http/guards/request-guard.ts'
import type { Duration } from '../../options/duration.ts'

export type { CrossSiteOptions, FreshOptions }

/** A hook of Fastify, for `onRequest` and `preHandler`. */
export type FastifyGuard = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/**
 * Makes a hook that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to the error handler: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import { fastifySessions, requireFresh } from 'pg-sessions/fastify'
 *
 * const app = Fastify()
 * await app.register(fastifySessions(sessions))
 * app.post('/password', { preHandler: requireFresh('5m', { redirectTo: '/login' }) }, () => 'changed')
 * ```
 */
export function requireFresh(within: Duration, options?: FreshOptions): FastifyGuard {
  return guarded(freshGuard(within, options))
}

/**
 * Makes a hook that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error goes to the error handler: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import { fastifySessions, requireElevated } from 'pg-sessions/fastify'
 *
 * const app = Fastify()
 * await app.register(fastifySessions(sessions))
 * app.post('/payout', { preHandler: requireElevated('10m', { redirectTo: '/confirm-code' }) }, () => 'paid')
 * ```
 */
export function requireElevated(within: Duration, options?: FreshOptions): FastifyGuard {
  return guarded(elevatedGuard(within, options))
}

/**
 * Makes a hook that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. An error goes to the error handler, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import { refuseCrossSite } from 'pg-sessions/fastify'
 *
 * const app = Fastify()
 * app.addHook('onRequest', refuseCrossSite())
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): FastifyGuard {
  return guarded(crossSiteGuard(options))
}

function guarded(guard: RequestGuard): FastifyGuard {
  return async (request, reply) => {
    const location = await guard(nodeRequest(request.raw, () => request.session))
    if (location === null) return undefined
    return reply.code(303).headers({ Location: location, 'Cache-Control': 'no-store' }).send()
  }
}
