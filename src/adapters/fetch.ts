/**
 * Sessions for handlers of the Fetch standard: `(Request) => Response`, as Bun, Deno and many
 * frameworks have them.
 *
 * @module
 */
import { errorAnswer } from '../http/error-answer.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import type { HeadAddition } from '../http/head-addition.ts'

/** A handler that is given the request's session. What follows is passed on as it comes. */
export type SessionHandler<Data extends object, Rest extends readonly unknown[]> = (
  request: Request,
  session: Session<Data>,
  ...rest: Rest
) => Response | Promise<Response>

/** Options of the Fetch adapter. */
export interface WithSessionOptions {
  /**
   * Answers when a session could not be saved; no cookie will be sent. Defaults to a short plain text
   * with the error's `statusCode`.
   */
  readonly onError?: (error: unknown, request: Request) => Response | Promise<Response>
}

/**
 * Wraps a handler so that it is given the request's session.
 *
 * What the handler changes is saved before its response goes on. When it throws, nothing is saved. When
 * the save fails, its response is dropped. Changes after it has returned, while a body streams, need
 * `await session.save()`, and cannot send a cookie.
 *
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
  options: WithSessionOptions = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    let isHeadSent = false
    const exchange = sessions.open(request.headers.get('cookie'), { isHeadSent: () => isHeadSent })
    const response = await handler(request, exchange.session, ...rest)
    try {
      return withAddition(response, await exchange.commit())
    } catch (error) {
      exchange.discard()
      await response.body?.cancel()
      return (options.onError ?? plainAnswer)(error, request)
    } finally {
      isHeadSent = true
    }
  }
}

function withAddition(response: Response, addition: HeadAddition): Response {
  if (!addition.varyCookie) return response
  try {
    addToHeaders(response.headers, addition)
    return response
  } catch (error) {
    // The headers of `Response.redirect()` and of fetched responses cannot be changed: copy them.
    if (!(error instanceof TypeError)) throw error
    const copy = new Response(response.body, response)
    addToHeaders(copy.headers, addition)
    return copy
  }
}

function addToHeaders(headers: Headers, { setCookies, noStore, varyCookie }: HeadAddition): void {
  const vary = headers.get('vary') ?? ''
  if (varyCookie && !/(?:^|,)\s*(?:\*|cookie)\s*(?:,|$)/i.test(vary))
    headers.append('vary', 'Cookie')
  if (noStore) headers.set('cache-control', 'no-store')
  for (const setCookie of setCookies) headers.append('set-cookie', setCookie)
}

function plainAnswer(error: unknown): Response {
  const { status, body } = errorAnswer(error)
  return new Response(body, { status, headers: { 'cache-control': 'no-store' } })
}
