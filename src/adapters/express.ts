/**
 * Sessions for Express 5 and 4, on `req.session`.
 *
 * @module
 */
import type { Request, RequestHandler } from 'express'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { NodeExchange } from '../http/node-exchange.ts'
import { RequestSessions } from '../http/request-sessions.ts'
import { isNodeResponse, refuseMount } from '../http/wrong-mount.ts'
import { keepInDictionary } from './express/dictionary.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './express/guards.ts'

declare global {
  namespace Express {
    interface Request {
      /** This request's session. Nothing is read until it is used. */
      session: Session
    }
  }
}

/** Express middleware that knows what its sessions hold. */
export interface ExpressSessions<Data extends object> extends RequestHandler {
  /**
   * The request's session with the type that `createSessions` was given. With several of these in one
   * application each gives its own, while `req.session` is that of the last one mounted.
   *
   * @throws {ConfigurationError} This middleware does not run before the route.
   */
  of(request: Request): Session<Data>
}

/**
 * Makes the middleware that gives each request its session. Put it before the routes that use it.
 *
 * What a handler changes is saved before the head of its response leaves, so a redirect never outruns it.
 * When a save fails, the handler's response is dropped and the error goes to Express's error handlers
 * with a fitting `statusCode`; no cookie is sent. A request that does not use its session costs nothing.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { expressSessions } from 'pg-sessions/express'
 *
 * app.use(expressSessions(sessions))
 *
 * app.post('/login', async (req, res) => {
 *   await req.session.signIn('ann')
 *   req.session.set('basket', [])
 *   res.redirect('/')
 * })
 * ```
 */
export function expressSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  ...noOptions: readonly never[]
): ExpressSessions<Data> {
  assertSessions(sessions, 'expressSessions', noOptions)
  const kept = new RequestSessions<Data>(sessions, 'expressSessions')
  const middleware: RequestHandler = (request, response, next) => {
    if (!isNodeResponse(response)) {
      return refuseMount('expressSessions', 'app.use(expressSessions(sessions)) in Express', next)
    }
    keepInDictionary(request)
    keepInDictionary(response)
    kept.keep(request, () => new NodeExchange(sessions, request, response, { fail: next }))
    kept.expose(request)
    next()
  }
  return Object.assign(middleware, { of: (request: Request) => kept.of(request) })
}
