/**
 * Sessions for React Router 7.9 and newer in framework mode, in a context of the router.
 *
 * @module
 */
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import {
  dropBody,
  errorResponse,
  type FetchExchange,
  openFetchExchange,
} from '../http/fetch-exchange.ts'
import { RequestSessions } from '../http/request-sessions.ts'
import { savedResponse } from '../http/saved-response.ts'
import { failureOf, isThrownDataAsIs, thrownData } from './react-router/thrown-data.ts'

export {
  type RouterSession,
  type RouterSessionStorage,
  reactRouterSessionStorage,
} from './react-router/session-storage.ts'

import { ConfigurationError } from '../errors.ts'
import { assertSessions } from '../http/assert-sessions.ts'
import { processWide } from '../process-wide.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  type RouterGuard,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './react-router/guards.ts'

/** What `createContext` of React Router makes. */
export interface RouterContext<Value> {
  defaultValue?: Value
}

/** What this middleware needs of what React Router gives it. */
export interface RouterMiddlewareArgs<Data extends object> {
  readonly request: Request
  readonly context: {
    set(context: RouterContext<Session<Data>>, session: Session<Data>): void
  }
}

/** Middleware of a React Router server. */
export type RouterMiddleware<Data extends object> = (
  args: RouterMiddlewareArgs<Data>,
  next: () => Promise<Response>,
) => Promise<Response>

/**
 * Makes the middleware that puts each request's session into a context. Export it as `middleware` of the
 * root route.
 *
 * What loaders, actions and later middleware change is saved before the response goes on, also when one of
 * them throws a redirect or an error. When the save fails the response is dropped, no cookie is sent, and
 * the nearest error boundary is shown, as it is for a `Response` with the error's `statusCode` that a
 * loader throws; `handleError` is told. A resource route has no error boundary: its request is answered by
 * a short plain text with that status. What changes while a document streams is saved soon after each change; only changes
 * that need no new cookie are possible then.
 *
 * @param context - Of your own, so that loaders find the session in it: `createContext<Session>()`.
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```tsx
 * import type { Session } from 'pg-sessions'
 * import { reactRouterSessions } from 'pg-sessions/react-router'
 * import { createContext } from 'react-router'
 *
 * export const sessionContext = createContext<Session>()
 * export const sessionMiddleware = reactRouterSessions(sessions, sessionContext)
 * ```
 */
export function reactRouterSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  context: RouterContext<Session<Data>>,
): RouterMiddleware<Data>[] {
  assertSessions(sessions, 'reactRouterSessions')
  if (typeof context !== 'object' || context === null) {
    throw new ConfigurationError(
      'reactRouterSessions needs a context, by which loaders find the session. Write const sessionContext = createContext<Session>(), with createContext of react-router, and reactRouterSessions(sessions, sessionContext).',
    )
  }
  const kept = new RequestSessions<Data, FetchExchange<Data>>(sessions, 'reactRouterSessions')

  // React Router turns what a middleware throws into a page before the one around it goes on, so the outer
  // one adds to whatever page there is.
  return [
    async (args, next) => {
      const exchange = openFetchExchange(sessions, args.request)
      const owns = kept.keep(args.request, () => exchange, args.context)
      args.context.set(context, kept.of(args.context))
      if (!owns) return next()
      try {
        const response = await next()
        const page = isThrownDataAsIs(response) ? errorResponse(failureOf(args.context)) : response
        // An error page may have changed the session once more.
        return await savedResponse(exchange, page)
      } finally {
        exchange.handOver()
        kept.end(args.context)
      }
    },
    async (args, next) => {
      const response = await next()
      const exchange = kept.opened(args.context)
      return exchange === null || failed.has(exchange)
        ? response
        : saved(args.context, exchange, response)
    },
  ]
}

/** Exchanges whose save has failed: what an error page changes is saved once more, around it. */
const failed = processWide('react-router-failed', () => new WeakSet<object>())

/** Saves, or throws what React Router makes an error page of. */
async function saved<Data extends object>(
  context: object,
  exchange: FetchExchange<Data>,
  response: Response,
): Promise<Response> {
  try {
    await exchange.commit()
    return response
  } catch (error) {
    exchange.discard()
    dropBody(response)
    failed.add(exchange)
    throw thrownData(error, context)
  }
}
