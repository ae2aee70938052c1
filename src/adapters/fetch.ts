/**
 * Sessions for handlers of the Fetch standard: `(Request) => Response`, as Bun, Deno and many
 * frameworks have them.
 *
 * @module
 */

import { ConfigurationError } from '../errors.ts'
import { assertFunction, readErrorPage } from '../http/adapter-arguments.ts'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { errorResponse, openFetchExchange } from '../http/fetch-exchange.ts'
import { RequestSessions } from '../http/request-sessions.ts'
import { savedResponse } from '../http/saved-response.ts'
import { isFetchRequest, isFetchResponse, wrongMount } from '../http/wrong-mount.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './fetch/guards.ts'

/** A handler that is given the request's session. What follows is passed on as it comes. */
export type SessionHandler<Data extends object, Rest extends readonly unknown[]> = (
  request: Request,
  session: Session<Data>,
  ...rest: Rest
) => Response | Promise<Response>

/** Options of the Fetch adapter. */
export interface WithSessionOptions<Data extends object> {
  /**
   * Answers when the handler throws or its session cannot be saved: the application's error page. A
   * change of the session that it makes, or that the handler made before it threw, is saved with it.
   *
   * By default what a handler throws is passed on to the server and nothing more is saved, and a save
   * that fails is answered by a short plain text with the error's `statusCode`.
   */
  readonly onError?: (
    error: unknown,
    request: Request,
    session: Session<Data>,
  ) => Response | Promise<Response>
}

/**
 * Wraps a handler so that it is given the request's session.
 *
 * What the handler changes is saved before its response goes on. When the save fails the response is
 * dropped, and no cookie is sent. Changes after the handler has returned, while a body streams, are
 * saved soon after they are made; only those that need no new cookie are possible then.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { withSession } from 'pg-sessions/fetch'
 *
 * export default {
 *   fetch: withSession(sessions, async (request, session) => {
 *     await session.update('visits', (visits = 0) => Number(visits) + 1)
 *     return new Response(`Visit ${await session.get('visits')}`)
 *   }),
 * }
 * ```
 */
export function withSession<
  Data extends object = DefaultData,
  Rest extends readonly unknown[] = readonly [],
>(
  sessions: SessionOpener<Data>,
  handler: SessionHandler<Data, Rest>,
  options: WithSessionOptions<Data> = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  assertSessions(sessions, 'withSession')
  assertFunction(
    handler,
    'withSession',
    'a handler',
    'withSession(sessions, (request, session) => new Response())',
  )
  const onError = readErrorPage<NonNullable<WithSessionOptions<Data>['onError']>>(
    'withSession',
    options,
  )
  const kept = new RequestSessions<Data>(sessions, 'withSession')
  return async (request, ...rest) => {
    if (!isFetchRequest(request)) {
      throw wrongMount(
        'withSession',
        'withSession(sessions, handler) where a server calls a handler with a Request',
      )
    }
    const exchange = openFetchExchange(sessions, request)
    const owns = kept.keep(request, () => exchange)
    const session = kept.of(request)
    const errorPage = (error: unknown): Response | Promise<Response> =>
      onError === undefined ? errorResponse(error) : onError(error, request, session)
    try {
      let response: Response | undefined
      try {
        response = checkedResponse(request, await handler(request, session, ...rest))
      } catch (error) {
        if (onError === undefined) throw error
        response = await errorPage(error)
      }
      if (!owns || response === undefined) return response as Response
      return await savedResponse(exchange, response, errorPage)
    } finally {
      if (owns) {
        exchange.handOver()
        kept.end(request)
      }
    }
  }
}

/**
 * The response; nothing for a request that became a WebSocket, as Bun has it after `server.upgrade(request)`.
 *
 * @throws {ConfigurationError} A handler has forgotten to return one, on one of its paths.
 */
function checkedResponse({ headers }: Request, response: unknown): Response | undefined {
  if (isFetchResponse(response)) return response
  if (response === undefined && headers.has('upgrade')) return undefined
  throw new ConfigurationError(
    `The handler of withSession returned ${response === undefined ? 'nothing' : 'something else'} instead of a Response, so its changes were not saved. Return a Response on each of its paths.`,
  )
}
