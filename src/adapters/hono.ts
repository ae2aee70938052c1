/**
 * Sessions for Hono 4 and 3, on `c.var.session`.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from 'hono'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import {
  addToResponse,
  dropBody,
  errorResponse,
  type FetchExchange,
  keepInResponse,
  openFetchExchange,
} from '../http/fetch-exchange.ts'
import {
  isFree,
  isReplaced,
  RequestSessions,
  sessionIsAssigned,
  sessionIsTaken,
} from '../http/request-sessions.ts'
import type { ResponseHeaders } from '../http/response-headers.ts'
import { isFetchRequest, wrongMount } from '../http/wrong-mount.ts'
import { realTime } from '../real-time.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './hono/guards.ts'

/** What the middleware adds to an application's `Env`; routes after it infer it. */
export interface SessionEnv<Data extends object = DefaultData> {
  Variables: {
    /** This request's session. Nothing is read until it is used. */
    session: Session<Data>
  }
}

/** Hono middleware that knows what its sessions hold. */
export interface HonoSessions<Data extends object> extends MiddlewareHandler<SessionEnv<Data>> {
  /**
   * The request's session. With several of these in one application each gives its own, while
   * `c.var.session` is that of the last one used.
   *
   * @throws {ConfigurationError} This middleware does not run before the route.
   */
  of(context: Context): Session<Data>
}

/**
 * Makes the middleware that gives each request its session. Put it before the routes that use it.
 *
 * What changes is saved when the handler has returned, also when `app.onError` or `app.notFound` answers
 * for it. When the save fails its response is dropped, no cookie is sent, and the error goes to
 * `app.onError`; without one of your own it is answered by a short plain text with the error's
 * `statusCode`. What changes after that, as in `streamSSE`, is saved soon after each change; only changes
 * that need no new cookie are possible then.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { honoSessions } from 'pg-sessions/hono'
 *
 * const app = new Hono().use(honoSessions(sessions)).post('/login', async (c) => {
 *   await c.var.session.signIn('ann')
 *   c.var.session.set('basket', [])
 *   return c.redirect('/')
 * })
 *
 * export default app
 * ```
 */
export function honoSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  ...noOptions: readonly never[]
): HonoSessions<Data> {
  assertSessions(sessions, 'honoSessions', noOptions)
  const kept = new RequestSessions<Data, FetchExchange<Data>>(sessions, 'honoSessions')

  const middleware: MiddlewareHandler<SessionEnv<Data>> = async (c, next) => {
    if (!isFetchRequest(Object(Object(c).req).raw)) {
      throw wrongMount('honoSessions', 'app.use(honoSessions(sessions)) in Hono')
    }
    let headersBefore: Headers | undefined
    const open = (): FetchExchange<Data> =>
      openFetchExchange(sessions, c.req.raw, () => {
        headersBefore ??= c.body(null).headers
      })
    if (!isFree(c.get('session'))) throw sessionIsTaken('honoSessions')
    const owns = kept.keep(c.req.raw, open, c)
    c.set('session', kept.of(c))
    const exchange = kept.opened(c)
    if (!owns || exchange === null) return next()
    try {
      await next()
      await save(c, exchange, () => headersBefore)
      exchange.handOver()
    } finally {
      kept.end(c)
    }
  }
  return Object.assign(middleware, { of: (c: Context) => kept.of(c) })
}

async function save<Data extends object>(
  c: Context,
  exchange: FetchExchange<Data>,
  headersBefore: () => Headers | undefined,
): Promise<void> {
  try {
    if (isReplaced(c.get('session'))) {
      // Back in its place, for the error page and the adapters around this one.
      c.set('session', exchange.session)
      throw sessionIsAssigned('honoSessions')
    }
    const addition = await exchange.commit()
    if (!addition.varyCookie) return
    replaceResponse(c, addToResponse(c.res, addition))
    if (addition.noStore) keepLastWord(c, addition)
  } catch (error) {
    exchange.discard()
    dropBody(c.res)
    // The error page takes over the headers that it finds here.
    const blank = new Response(null, { headers: headersBefore() ?? {} })
    replaceResponse(c, addToResponse(blank, exchange.head))
    // Not yet: an error page that changes the session should not fail for that.
    realTime.setTimeout(() => exchange.handOver(), 0)
    throw withResponse(error)
  }
}

/** Setting `c.res` over another response would add the other's headers to it. */
function replaceResponse(c: Context, response: Response): void {
  if (response === c.res) return
  c.res = undefined
  c.res = response
}

/**
 * Has the addition survive middleware around the session: Hono makes another response of the headers that
 * such middleware sets, and `etag()` a 304 without most headers. The code that sends the response reads it last.
 */
function keepLastWord(c: Context, addition: ResponseHeaders): void {
  const { get, set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(c), 'res') ?? {}
  if (get === undefined || set === undefined) return
  Object.defineProperty(c, 'res', {
    configurable: true,
    get() {
      const response: Response = Reflect.apply(get, c, [])
      const kept = keepInResponse(response, addition)
      if (kept !== response) {
        Reflect.apply(set, c, [undefined])
        Reflect.apply(set, c, [kept])
      }
      return kept
    },
    set(response) {
      Reflect.apply(set, c, [response])
    },
  })
}

/** What Hono asks an error for when the application has no error page. */
function withResponse(error: unknown): unknown {
  if (!(error instanceof Error) || 'getResponse' in error) return error
  return Object.defineProperty(error, 'getResponse', { value: () => errorResponse(error) })
}
