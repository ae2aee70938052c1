/**
 * Sessions for Koa 3 and 2, on `ctx.session`.
 *
 * @module
 */
import type { Context, Middleware } from 'koa'
import { assertSessions } from '../http/assert-sessions.ts'
import { errorAnswer } from '../http/error-answer.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { answerWithError, NodeExchange } from '../http/node-exchange.ts'
import { RequestSessions } from '../http/request-sessions.ts'
import { whileBodyWaits } from '../http/waiting-stream.ts'
import { rememberHead } from '../http/written-head.ts'
import { isNodeResponse, wrongMount } from '../http/wrong-mount.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './koa/guards.ts'

declare module 'koa' {
  interface DefaultContext {
    /** This request's session. Nothing is read until it is used. */
    session: Session
  }
}

/** Koa middleware that knows what its sessions hold. */
export interface KoaSessions<Data extends object> extends Middleware {
  /**
   * The request's session with the type that `createSessions` was given. With several of these in one
   * application each gives its own, while `ctx.session` is that of the last one used.
   *
   * @throws {ConfigurationError} This middleware does not run before.
   */
  of(context: object): Session<Data>
}

/**
 * Makes the middleware that gives each request its session. Put it after your error page, and before
 * whatever uses the session.
 *
 * What changes is saved when the middleware after it is done. When that fails, the error is thrown to
 * the middleware before it, with a fitting `statusCode`; nothing of the response is left then, and no
 * cookie is sent. What changes still later, as in an error page or after `ctx.respond = false`, is saved
 * before the head leaves. A body that is a stream waits for the save; one that fails meanwhile, such as a
 * missing file, is an error like any other, which Koa answers. The cookie survives `ctx.throw`, which removes all other headers.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { koaSessions } from 'pg-sessions/koa'
 *
 * const app = new Koa()
 * app.use(koaSessions(sessions))
 *
 * app.use(async (ctx) => {
 *   await ctx.session.signIn('ann')
 *   ctx.session.set('basket', [])
 *   ctx.redirect('/')
 * })
 * ```
 */
export function koaSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  ...noOptions: readonly never[]
): KoaSessions<Data> {
  assertSessions(sessions, 'koaSessions', noOptions)
  const kept = new RequestSessions<Data, NodeExchange<Data>>(sessions, 'koaSessions')

  const middleware: Middleware = async (context, next) => {
    if (!isNodeResponse(Object(context).res) || typeof next !== 'function') {
      throw wrongMount('koaSessions', 'app.use(koaSessions(sessions)) in Koa')
    }
    let restoreHead: (() => void) | undefined
    const open = (): NodeExchange<Data> => {
      const fail = (error: unknown): void => {
        context.app.emit('error', error, context)
        answerWithError(context.res, error)
      }
      const onChange = (): void => {
        restoreHead ??= rememberHead(context.res)
      }
      return new NodeExchange(sessions, context.req, context.res, { fail, onChange })
    }
    const owns = kept.keep(context.req, open, context)
    kept.expose(context)
    await next()
    if (!owns || context.respond === false) return
    const exchange = kept.opened(context)
    if (!exchange?.hasChanges) return
    try {
      await whileBodyWaits(context.body, () => exchange.saveEarly())
    } catch (error) {
      restoreHead?.()
      dropResponse(context, errorAnswer(error).status)
      throw error
    }
  }
  return Object.assign(middleware, { of: (context: object) => kept.of(context) })
}

/** Leaves an error page nothing of what it replaces: not even a status that says all is well. */
function dropResponse(context: Context, status: number): void {
  context.body = undefined
  context.status = status
}
