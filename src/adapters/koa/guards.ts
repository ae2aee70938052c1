import type { Middleware } from 'koa'
import { type CrossSiteOptions, crossSiteGuard } from '../../http/guards/cross-site.ts'
import { elevatedGuard, type FreshOptions, freshGuard } from '../../http/guards/fresh.ts'
import { nodeRequest } from '../../http/guards/node-guard.ts'
import type { RequestGuard } from '../../http/guards/request-guard.ts'
import type { Duration } from '../../options/duration.ts'

export type { CrossSiteOptions, FreshOptions }

/**
 * Makes middleware that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * an error is thrown to the middleware before it: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { requireFresh } from 'pg-sessions/koa'
 *
 * const fresh = requireFresh('5m', { redirectTo: '/login' })
 * new Koa().use((ctx, next) => (ctx.path === '/password' ? fresh(ctx, next) : next()))
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
 * an error is thrown to the middleware before it: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { requireElevated } from 'pg-sessions/koa'
 *
 * const fresh = requireElevated('10m', { redirectTo: '/confirm-code' })
 * new Koa().use((ctx, next) => (ctx.path === '/payout' ? fresh(ctx, next) : next()))
 * ```
 */
export function requireElevated(within: Duration, options?: FreshOptions): Middleware {
  return guarded(elevatedGuard(within, options))
}

/**
 * Makes middleware that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. An error is thrown to the middleware before it, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { refuseCrossSite } from 'pg-sessions/koa'
 *
 * new Koa().use(refuseCrossSite())
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): Middleware {
  return guarded(crossSiteGuard(options))
}

function guarded(guard: RequestGuard): Middleware {
  return async (context, next) => {
    const location = await guard({
      ...nodeRequest(context.req, () => context.session),
      url: context.originalUrl,
    })
    if (location === null) return next()
    context.status = 303
    context.set({ Location: location, 'Cache-Control': 'no-store' })
    context.body = ''
  }
}
