/**
 * Sessions for SvelteKit 2 and 3, on `event.locals.session`.
 *
 * @module
 */

import { readErrorPage } from '../http/adapter-arguments.ts'
import { assertSessions } from '../http/assert-sessions.ts'
import { type CookieToSet, cookieToSet } from '../http/cookie-to-set.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { errorResponse, type FetchExchange, openFetchExchange } from '../http/fetch-exchange.ts'
import { RequestSessions } from '../http/request-sessions.ts'
import { savedResponse } from '../http/saved-response.ts'
import { isFetchRequest, wrongMount } from '../http/wrong-mount.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
  type SvelteKitGuard,
} from './sveltekit/guards.ts'

declare global {
  namespace App {
    interface Locals {
      /** This request's session. Nothing is read until it is used. */
      session: Session
    }
  }
}

/** What the hook needs of SvelteKit's `RequestEvent`. */
export interface SvelteKitEvent {
  readonly request: Request
  readonly locals: object
  readonly cookies: {
    set(name: string, value: string, options: CookieOptions): void
  }
}

type CookieOptions = Omit<CookieToSet, 'name' | 'value'> & {
  readonly encode: (value: string) => string
}

/** What SvelteKit gives to its `handle` hook. */
export interface SvelteKitHandleInput<Event extends SvelteKitEvent> {
  readonly event: Event
  resolve(event: Event): Response | Promise<Response>
}

/** SvelteKit's `handle` hook, which knows what its sessions hold. */
export interface SvelteKitSessions<
  Data extends object = DefaultData,
  Event extends SvelteKitEvent = SvelteKitEvent,
> {
  (input: SvelteKitHandleInput<Event>): Promise<Response>
  /**
   * The request's session with the type that `createSessions` was given. With several of these in one
   * application each gives its own, while `event.locals.session` is that of the last one in the sequence.
   *
   * @throws {ConfigurationError} This hook does not run before whatever asks.
   */
  of(event: Pick<SvelteKitEvent, 'locals'>): Session<Data>
}

/** Options of the SvelteKit adapter. */
export interface SvelteKitSessionsOptions<Data extends object, Event extends SvelteKitEvent> {
  /**
   * Answers when the session cannot be saved: the application's error page. By default a short plain text
   * with the error's `statusCode` does. What it throws goes to SvelteKit: after `error(503, …)` the static
   * error page is shown, after any other error `handleError` is told as well.
   */
  readonly onError?: (
    error: unknown,
    event: Event,
    session: Session<Data>,
  ) => Response | Promise<Response>
}

/**
 * Makes the `handle` hook that gives each request its session. Put it first in `sequence(…)`.
 *
 * What `load` functions, actions, endpoints and later hooks change is saved before the response goes on,
 * also when SvelteKit answers with an error page, a 404 or a redirect. When the save fails the response is
 * dropped and no cookie is sent. What changes after that, in promises that a `load` function streams, is
 * saved soon after each change; only changes that need no new cookie are possible then.
 *
 * The cookie joins the response itself, since SvelteKit takes no more cookies once a response is made.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { sveltekitSessions } from 'pg-sessions/sveltekit'
 *
 * export const handle = sveltekitSessions(sessions)
 * ```
 */
export function sveltekitSessions<
  Data extends object = DefaultData,
  Event extends SvelteKitEvent = SvelteKitEvent,
>(
  sessions: SessionOpener<Data>,
  options: SvelteKitSessionsOptions<Data, Event> = {},
): SvelteKitSessions<Data, Event> {
  assertSessions(sessions, 'sveltekitSessions')
  type ErrorPage = NonNullable<SvelteKitSessionsOptions<Data, Event>['onError']>
  const onError = readErrorPage<ErrorPage>('sveltekitSessions', options) ?? errorResponse
  const kept = new RequestSessions<Data>(sessions, 'sveltekitSessions')

  const handle = async ({ event, resolve }: SvelteKitHandleInput<Event>): Promise<Response> => {
    if (!isFetchRequest(Object(event).request)) {
      throw wrongMount(
        'sveltekitSessions',
        'export const handle = sveltekitSessions(sessions) in src/hooks.server.ts',
      )
    }
    const exchange = openFetchExchange(sessions, event.request)
    const owns = kept.keep(event.request, () => exchange, event.locals)
    kept.expose(event.locals)
    if (!owns) return resolve(event)
    const answer = (response: Response): Promise<Response> =>
      savedResponse(exchange, response, (error) => onError(error, event, exchange.session))
    try {
      return await answer(await resolve(event))
    } catch (thrown) {
      // Everything else that reaches this hook is a failure; a redirect of a later hook is not.
      if (!isRedirect(thrown)) throw thrown
      const { status, location } = thrown
      const redirect = await answer(new Response(null, { status, headers: { location } }))
      // SvelteKit answers in the way that the request asks for, as long as it still takes cookies.
      if (redirect.status === status && setCookies(exchange, event)) throw thrown
      return redirect
    } finally {
      exchange.handOver()
      kept.end(event.locals)
    }
  }
  const of = (event: Pick<SvelteKitEvent, 'locals'>): Session<Data> => kept.of(event.locals)
  return Object.assign(handle, { of })
}

/** What `redirect(303, '/login')` of SvelteKit throws. */
function isRedirect(
  thrown: unknown,
): thrown is { readonly status: number; readonly location: string } {
  const { status, location } = Object(thrown)
  return typeof location === 'string' && status >= 300 && status <= 308
}

/** Gives the cookies to SvelteKit. False when it takes no more, since a response has been made. */
function setCookies<Data extends object>(
  exchange: FetchExchange<Data>,
  { cookies }: SvelteKitEvent,
): boolean {
  // A redirect of SvelteKit's own has no place for other headers.
  if (exchange.head.varyAuthorization) return false
  try {
    for (const line of exchange.head.setCookies) {
      const { name, value, ...options } = cookieToSet(line)
      cookies.set(name, value, { ...options, encode: (text) => text })
    }
    return true
  } catch {
    return false
  }
}
