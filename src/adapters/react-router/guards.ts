import type { Session } from '../../http/exchange.ts'
import { type CrossSiteOptions, crossSiteGuard } from '../../http/guards/cross-site.ts'
import { elevatedGuard, type FreshOptions, freshGuard } from '../../http/guards/fresh.ts'
import {
  fetchRequest,
  type RequestGuard,
  redirectResponse,
} from '../../http/guards/request-guard.ts'
import type { Duration } from '../../options/duration.ts'
import { thrownData } from './thrown-data.ts'

export type { CrossSiteOptions, FreshOptions }

/** What `createContext` of React Router makes. */
interface Context<Value> {
  defaultValue?: Value
}

/** Middleware of a React Router server. */
export type RouterGuard = (
  args: {
    readonly request: Request
    readonly context: { get<Value>(context: Context<Value>): Value }
  },
  next: () => Promise<Response>,
) => Promise<Response>

/**
 * Makes middleware that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * the nearest error boundary is shown: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @param context - That of `reactRouterSessions`.
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```tsx
 * import type { Session } from 'pg-sessions'
 * import { requireFresh } from 'pg-sessions/react-router'
 * import { createContext } from 'react-router'
 *
 * export const sessionContext = createContext<Session>()
 * export const middleware = [requireFresh(sessionContext, '5m', { redirectTo: '/login' })]
 * ```
 */
export function requireFresh<Data extends object>(
  context: Context<Session<Data>>,
  within: Duration,
  options?: FreshOptions,
): RouterGuard {
  return guarded(freshGuard(within, options), (args) => args.context.get(context))
}

/**
 * Makes middleware that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise a browser that asks for a page is sent to `redirectTo` (303). Without that, and for other clients,
 * the nearest error boundary is shown: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @param context - That of `reactRouterSessions`.
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```tsx
 * import type { Session } from 'pg-sessions'
 * import { requireElevated } from 'pg-sessions/react-router'
 * import { createContext } from 'react-router'
 *
 * export const sessionContext = createContext<Session>()
 * export const middleware = [requireElevated(sessionContext, '10m', { redirectTo: '/confirm-code' })]
 * ```
 */
export function requireElevated<Data extends object>(
  context: Context<Session<Data>>,
  within: Duration,
  options?: FreshOptions,
): RouterGuard {
  return guarded(elevatedGuard(within, options), (args) => args.context.get(context))
}

/**
 * Makes middleware that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. The nearest error boundary is shown, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```tsx
 * import { refuseCrossSite } from 'pg-sessions/react-router'
 *
 * export const middleware = [refuseCrossSite()]
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): RouterGuard {
  return guarded(crossSiteGuard(options), () => undefined)
}

function guarded(
  guard: RequestGuard,
  sessionOf: (args: Parameters<RouterGuard>[0]) => unknown,
): RouterGuard {
  return async (args, next) => {
    let location: string | null
    try {
      location = await guard(fetchRequest(args.request, () => sessionOf(args)))
    } catch (error) {
      throw thrownData(error, args.context)
    }
    // Thrown, as `redirect()` is: React Router then answers in the way that the request asks for.
    if (location !== null) throw redirectResponse(location)
    return next()
  }
}
