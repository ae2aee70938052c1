/**
 * Sessions for the app router of Next 15.1 and newer.
 *
 * @module
 */
import { ConfigurationError } from '../errors.ts'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { addToResponse, dropBody, errorResponse } from '../http/fetch-exchange.ts'
import { SharedState } from '../http/shared-state.ts'
import { processWide } from '../process-wide.ts'
import { type NextCookies, openVisit, type Visit } from './next/visit.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './next/guards.ts'

export type { NextCookies }

/** What the adapter needs of Next. */
export interface NextFunctions {
  /** Of `next/headers`. */
  readonly cookies: () => Promise<NextCookies>
  /**
   * Of `next/headers`. With it the session is found beside other cookies of its name, which another application on a
   * sibling host can plant; `cookies` shows the last of them only.
   */
  readonly headers?: () => Promise<{ get(name: string): string | null }>
  /** Of `next/server`. */
  readonly after: (task: () => Promise<void>) => void
}

/** Options of {@link NextSessions.withSaving}. */
export interface SavingOptions<Data extends object> {
  /**
   * Answers when a Route Handler throws or its session cannot be saved. By default what it throws goes to
   * Next, and a save that fails is answered by a short plain text with the error's `statusCode`.
   */
  readonly onError?: (error: unknown, session: Session<Data>) => Response | Promise<Response>
}

/** Gives the session of the request in flight. */
export interface NextSessions<Data extends object> {
  /**
   * The session, in Server Components, Server Actions and Route Handlers.
   *
   * `await session.save()` before an action or a handler is done. Only until then can a cookie be set:
   * `save`, `signIn` and `signOut` set it. What is not saved yet is saved after the response where that
   * needs no new cookie; the event `lateSaveFailed` tells of the rest.
   *
   * While components render, the session is there to be read. What needs a new cookie throws
   * `ResponseStartedError` then, before anything is stored.
   *
   * @throws {Error} Whatever `cookies()` throws where Next has no request.
   */
  (): Promise<Session<Data>>
  /**
   * Wraps a Server Action or a Route Handler so that what it changes is saved when it is done, also when
   * that is by `redirect()`, `notFound()` and the like. Of calls within each other, the outermost saves.
   */
  withSaving<Args extends readonly unknown[], Result>(
    handler: (...args: Args) => Result | Promise<Result>,
    options?: SavingOptions<Data>,
  ): (...args: Args) => Promise<Result | Response>
}

/**
 * Makes `getSession` for an application of Next.
 *
 * One request has one session, which is read once. Noting an access waits until the response is sent. A
 * token that is due to be renewed is renewed where a cookie can be set: by `withSaving`, and in `proxy.ts` by
 * `withSession` of `pg-sessions/fetch`.
 *
 * @example
 * ```tsx
 * import { cookies, headers } from 'next/headers'
 * import { after } from 'next/server'
 * import { nextSessions } from 'pg-sessions/next'
 *
 * export const getSession = nextSessions(sessions, { cookies, headers, after })
 * ```
 *
 * @throws {ConfigurationError} A function is missing, or the sessions are.
 */
export function nextSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  { cookies, headers, after }: NextFunctions = Object(undefined),
): NextSessions<Data> {
  assertSessions(sessions, 'nextSessions')
  if (typeof cookies !== 'function' || typeof after !== 'function') {
    throw new ConfigurationError(
      "nextSessions needs two functions of Next: nextSessions(sessions, { cookies, after }), with cookies from 'next/headers' and after from 'next/server'.",
    )
  }
  const visits = visitsByStore.of(sessions)
  const visit = async (): Promise<Visit<Data>> => {
    const store = await cookies()
    const found = visits.get(store) as Visit<Data> | undefined
    if (found !== undefined) return found
    const sent = headers === undefined ? null : (await headers()).get('cookie')
    const known =
      (visits.get(store) as Visit<Data> | undefined) ?? openVisit(sessions, store, sent, after)
    visits.set(store, known)
    return known
  }

  return Object.assign(async () => (await visit()).session, {
    withSaving<Args extends readonly unknown[], Result>(
      handler: (...args: Args) => Result | Promise<Result>,
      options: SavingOptions<Data> = {},
    ): (...args: Args) => Promise<Result | Response> {
      return async (...args) => {
        const isRoute = args[0] instanceof Request
        const joined = await visit()
        return joined.during(() =>
          run(joined, () => answered(() => handler(...args), isRoute), options),
        )
      }
    },
  })
}

/** Next gives each request a store of its own, and another one when an action is done and renders. */
const visitsByStore = processWide(
  'next-visits',
  () => new SharedState(() => new WeakMap<NextCookies, unknown>()),
)

/** Next sends no cookies with the answers that it makes itself of `notFound()` and the like in a route. */
async function answered<Result>(
  handler: () => Result | Promise<Result>,
  isRoute: boolean,
): Promise<Result | Response> {
  try {
    return await handler()
  } catch (thrown) {
    const [, status] = /^NEXT_HTTP_ERROR_FALLBACK;(\d{3})$/.exec(digestOf(thrown)) ?? []
    if (!isRoute || status === undefined) throw thrown
    return new Response(null, { status: Number(status) })
  }
}

/** Of calls within each other, the outermost saves and answers a failure: see {@link Visit.finish}. */
async function run<Data extends object, Result>(
  visit: Visit<Data>,
  handler: () => Promise<Result | Response>,
  { onError }: SavingOptions<Data>,
): Promise<Result | Response> {
  let result: Result | Response
  try {
    result = await handler()
  } catch (thrown) {
    if (isOfNext(thrown)) {
      try {
        await visit.finish()
      } catch (error) {
        if (onError === undefined) throw error
        return errorPage(visit, error, onError)
      }
      throw thrown
    }
    if (onError === undefined) throw thrown
    result = await onError(thrown, visit.session)
  }
  try {
    await visit.finish()
  } catch (error) {
    if (!(result instanceof Response)) throw error
    dropBody(result)
    return errorPage(visit, error, onError)
  }
  return result instanceof Response ? addToResponse(result, visit.addition) : result
}

async function errorPage<Data extends object>(
  visit: Visit<Data>,
  error: unknown,
  onError: SavingOptions<Data>['onError'] = errorResponse,
): Promise<Response> {
  let page = await onError(error, visit.session)
  try {
    await visit.finish()
  } catch (again) {
    page = errorResponse(again)
  }
  return addToResponse(page, visit.addition)
}

/** What `redirect()`, `notFound()`, `forbidden()` and `unauthorized()` throw to Next. */
function isOfNext(thrown: unknown): boolean {
  return digestOf(thrown).startsWith('NEXT_')
}

function digestOf(thrown: unknown): string {
  const digest: unknown = Object(thrown).digest
  return typeof digest === 'string' ? digest : ''
}
