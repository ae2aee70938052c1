/**
 * Sessions for Astro 7, on `context.locals.session`.
 *
 * @module
 */
import { ConfigurationError } from '../errors.ts'
import { readErrorPage } from '../http/adapter-arguments.ts'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { errorResponse, openFetchExchange } from '../http/fetch-exchange.ts'
import { RequestSessions } from '../http/request-sessions.ts'
import { SharedState } from '../http/shared-state.ts'
import { isFetchRequest, wrongMount } from '../http/wrong-mount.ts'
import { processWide } from '../process-wide.ts'
import { answered, type Visit } from './astro/answer.ts'
import type { AstroContext } from './astro/astro-context.ts'
import { isSameRequest, requestOf } from './astro/same-request.ts'

export {
  type AstroGuard,
  type CrossSiteOptions,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './astro/guards.ts'

export type { AstroContext }

declare global {
  namespace App {
    interface Locals {
      /** This request's session. Nothing is read until it is used. */
      session: Session
    }
  }
}

/** Middleware of Astro, which knows what its sessions hold. */
export interface AstroSessions<
  Data extends object = DefaultData,
  Context extends AstroContext = AstroContext,
> {
  (context: Context, next: () => Promise<Response>): Promise<Response>
  /**
   * The request's session with the type that `createSessions` was given: `of(Astro)` in a page,
   * `of(context)` elsewhere. With several of these in one application each gives its own, while
   * `locals.session` is that of the last one in the sequence.
   *
   * @throws {ConfigurationError} The page is prerendered, or this middleware does not run before it.
   */
  of(context: Pick<AstroContext, 'locals' | 'isPrerendered'>): Session<Data>
}

/** Options of the Astro adapter. */
export interface AstroSessionsOptions<Data extends object, Context extends AstroContext> {
  /**
   * Answers when the session cannot be saved: the application's error page. By default a short plain text
   * with the error's `statusCode` does. What it throws goes to Astro, which shows `500.astro`, with that
   * status.
   */
  readonly onError?: (
    error: unknown,
    context: Context,
    session: Session<Data>,
  ) => Response | Promise<Response>
}

/**
 * Makes the middleware that gives each request its session. Put it first in `sequence(…)`.
 *
 * What pages, endpoints, actions and later middleware change is saved before the response goes on, also
 * when it is a redirect, a rewrite or a 404. What was set before a page throws is saved with `500.astro`,
 * which Astro passes through middleware, too. When the save fails the response is dropped and no
 * cookie is sent. What components of a page change while it streams is saved soon after each change; only
 * changes that need no new cookie are possible then.
 *
 * A prerendered page is rendered without a visitor, so it has no session, and asking for one throws.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { astroSessions } from 'pg-sessions/astro'
 *
 * export const onRequest = astroSessions(sessions)
 * ```
 */
export function astroSessions<
  Data extends object = DefaultData,
  Context extends AstroContext = AstroContext,
>(
  sessions: SessionOpener<Data>,
  options: AstroSessionsOptions<Data, Context> = {},
): AstroSessions<Data, Context> {
  assertSessions(sessions, 'astroSessions')
  type ErrorPage = NonNullable<AstroSessionsOptions<Data, Context>['onError']>
  const onError = readErrorPage<ErrorPage>('astroSessions', options) ?? errorResponse
  const kept = new RequestSessions<Data>(sessions, 'astroSessions')
  const visits = visitsByLocals.of(sessions)

  const visitOf = (context: Context): Visit<Data> | null => {
    const known = visits.get(context.locals) as Visit<Data> | undefined
    if (known !== undefined) {
      if (isSameRequest(known, context)) return known
      shared.add(context.locals)
      refuseSession(context.locals, sharedLocals)
      throw sharedLocals()
    }
    const exchange = openFetchExchange(sessions, context.request)
    if (!kept.keep(context.request, () => exchange, context.locals)) return null
    const visit = { ...requestOf(context), exchange, isRunning: false, failure: null, answer: null }
    visits.set(context.locals, visit)
    return visit
  }

  const onRequest = async (context: Context, next: () => Promise<Response>): Promise<Response> => {
    if (!isFetchRequest(Object(context).request) || typeof next !== 'function') {
      throw wrongMount(
        'astroSessions',
        'export const onRequest = astroSessions(sessions) in src/middleware.ts',
      )
    }
    if (context.isPrerendered) {
      refuseSession(context.locals, prerendered)
      return next()
    }
    // The error that says so has a page, which must not have another visitor's session.
    if (shared.has(context.locals)) return next()
    const visit = visitOf(context)
    kept.expose(context.locals)
    // Astro runs middleware within itself for a rewrite, and once more for the page of an error.
    if (visit === null || visit.isRunning) return next()
    visit.isRunning = true
    visit.exchange.takeBack()
    try {
      const response = await next()
      return await answered(visit, context, response, (error) =>
        onError(error, context, visit.exchange.session),
      )
    } catch (thrown) {
      visit.failure = { thrown }
      throw thrown
    } finally {
      visit.isRunning = false
    }
  }
  const of = (context: Pick<AstroContext, 'locals' | 'isPrerendered'>): Session<Data> => {
    if (context.isPrerendered) throw prerendered()
    if (shared.has(context.locals)) throw sharedLocals()
    return kept.of(context.locals)
  }
  return Object.assign(onRequest, { of })
}

/** Objects of locals that several requests have in common. */
const shared = processWide('astro-shared-locals', () => new WeakSet<object>())

/** The visits of each `sessions` object by their locals. */
const visitsByLocals = processWide(
  'astro-visits',
  () => new SharedState(() => new WeakMap<object, unknown>()),
)

/** Explains why a session that may be another visitor's is refused. */
function refuseSession(locals: object, reason: () => ConfigurationError): void {
  Object.defineProperty(locals, 'session', {
    configurable: true,
    get() {
      throw reason()
    },
  })
}

function sharedLocals(): ConfigurationError {
  return new ConfigurationError(
    'Several requests share one object of locals, and so would share one session. Make a new object for each request that is passed to the handler of @astrojs/node.',
  )
}

function prerendered(): ConfigurationError {
  return new ConfigurationError(
    'This page is prerendered: it is rendered once, when the application is built, so it has no session. Write `export const prerender = false` into it, or move what needs the session into a component with `server:defer`.',
  )
}
