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

/** Middleware of Astro. */
export type AstroGuard = (
  context: { readonly request: Request; readonly locals: object },
  next: () => Promise<Response>,
) => Promise<Response>

/**
 * Makes middleware that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * the answer is a short plain text: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * Put it after `astroSessions(sessions)` in `sequence(…)`, and call it for the paths that need it.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import { requireFresh } from 'pg-sessions/astro'
 *
 * const fresh = requireFresh('5m', { redirectTo: '/login' })
 * ```
 */
export function requireFresh(within: Duration, options?: FreshOptions): AstroGuard {
  return guarded(freshGuard(within, options))
}

/**
 * Makes middleware that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * the answer is a short plain text: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * Put it after `astroSessions(sessions)` in `sequence(…)`, and call it for the paths that need it.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import { requireElevated } from 'pg-sessions/astro'
 *
 * const fresh = requireElevated('10m', { redirectTo: '/confirm-code' })
 * ```
 */
export function requireElevated(within: Duration, options?: FreshOptions): AstroGuard {
  return guarded(elevatedGuard(within, options))
}

/**
 * Makes middleware that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. The answer is a short plain text, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import { refuseCrossSite } from 'pg-sessions/astro'
 *
 * export const onRequest = refuseCrossSite()
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): AstroGuard {
  return guarded(crossSiteGuard(options))
}

function guarded(guard: RequestGuard): AstroGuard {
  return async ({ request, locals }, next) => {
    let location: string | null
    try {
      location = await guard(fetchRequest(request, () => Reflect.get(locals, 'session')))
    } catch (error) {
      if (isRefusal(error)) return errorResponse(error)
      throw error
    }
    return location === null ? next() : redirectResponse(location)
  }
}
