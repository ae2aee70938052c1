/**
 * Sessions for Express 5, on `req.session`.
 *
 * @module
 */
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { openNodeExchange } from '../http/node-exchange.ts'

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
  /** The request's session with the type that `createSessions` was given. */
  of(request: Request): Session<Data>
}

/** What it takes to open a request's session, until somebody asks for it. */
interface Visit<Data extends object> {
  readonly response: Response
  readonly next: NextFunction
  session: Session<Data> | null
}

/**
 * Makes the middleware that gives each request its session. Put it before the routes that use it.
 *
 * What a handler changes is saved before the head of its response leaves, so a redirect never outruns it.
 * When a save fails, the handler's response is dropped and the error goes to Express's error handlers
 * with a fitting `statusCode`; no cookie is sent. A request that does not use its session costs nothing.
 *
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
): ExpressSessions<Data> {
  // All requests share one accessor, so that the engine sees one shape of request.
  const visits = Symbol('pg-sessions')
  const accessor: PropertyDescriptor & ThisType<Request & Record<symbol, Visit<Data>>> = {
    configurable: true,
    get() {
      const visit = this[visits] as Visit<Data>
      visit.session ??= openNodeExchange(sessions, this, visit.response, visit.next).session
      return visit.session
    },
  }

  const middleware: RequestHandler = (request, response, next) => {
    const visit: Visit<Data> = { response, next, session: null }
    Object.assign(request, { [visits]: visit })
    Object.defineProperty(request, 'session', accessor)
    next()
  }
  return Object.assign(middleware, {
    of: (request: Request) => request.session as unknown as Session<Data>,
  })
}
