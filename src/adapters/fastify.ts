/**
 * Sessions for Fastify 5 and 4, on `request.session`.
 *
 * @module
 */
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { ConfigurationError } from '../errors.ts'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { answerWithError, NodeExchange } from '../http/node-exchange.ts'
import { RequestSessions, sessionIsAssigned, sessionIsTaken } from '../http/request-sessions.ts'
import { whileBodyWaits } from '../http/waiting-stream.ts'
import { wrongMount } from '../http/wrong-mount.ts'
import { processWide } from '../process-wide.ts'
import { dropReply, headersOf, type ReplyHeaders } from './fastify/reply.ts'

export {
  type CrossSiteOptions,
  type FastifyGuard,
  type FreshOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './fastify/guards.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** This request's session. Nothing is read until it is used. */
    session: Session
  }
}

/** A Fastify plugin that knows what its sessions hold. */
export interface FastifySessions<Data extends object> extends FastifyPluginCallback {
  /**
   * The request's session with the type that `createSessions` was given. With several of these in one
   * application each gives its own, while `request.session` is that of the last one registered.
   *
   * @throws {ConfigurationError} This plugin is not registered for the route.
   */
  of(request: FastifyRequest): Session<Data>
}

/** The headers of replies before their session changed. */
const headersBefore = processWide(
  'fastify-headers',
  () => new WeakMap<FastifyReply, ReplyHeaders>(),
)
/** Replies that wait for their save. */
const waiting = processWide('fastify-waiting', () => new WeakSet<FastifyReply>())
/** Marks applications whose `request.session` is ours. */
const ours = Symbol.for('pg-sessions.1.fastify-session')
/** Which sessions `request.session` belongs to. */
const exposed = Symbol.for('pg-sessions.1.fastify-exposed')

/**
 * Makes the plugin that gives each request its session, also in the routes beside and above the place
 * where it is registered.
 *
 * What changes is saved in `onSend`. When that fails the reply is dropped, and the error goes to the
 * error handler with a fitting `statusCode`; no cookie is sent. A reply that was hijacked, or is sent
 * through `reply.raw`, waits for the save in the same way; there a failure is answered by a short plain
 * text.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import { fastifySessions } from 'pg-sessions/fastify'
 *
 * const app = Fastify()
 * await app.register(fastifySessions(sessions))
 *
 * app.post('/login', async (request, reply) => {
 *   await request.session.signIn('ann')
 *   request.session.set('basket', [])
 *   return reply.redirect('/')
 * })
 * ```
 */
export function fastifySessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  ...noOptions: readonly never[]
): FastifySessions<Data> {
  assertSessions(sessions, 'fastifySessions', noOptions)
  const kept = new RequestSessions<Data, NodeExchange<Data>>(sessions, 'fastifySessions')
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    if (typeof Object(app).addHook !== 'function') {
      throw wrongMount(
        'fastifySessions',
        'await app.register(fastifySessions(sessions)) in Fastify',
      )
    }
    if (!app.hasRequestDecorator(ours)) {
      if (app.hasRequestDecorator('session')) return done(sessionIsTaken('fastifySessions'))
      app.decorateRequest(ours, null)
      app.decorateRequest('session', { getter: exposedSession, setter: refuseAssignment })
    }
    app.addHook('onRequest', (request, reply, done) => {
      const open = (): NodeExchange<Data> => {
        const fail = (error: unknown): void => answerWithError(reply.raw, error)
        const onChange = (): void => void headersBefore.set(reply, headersOf(reply))
        return new NodeExchange(sessions, request.raw, reply.raw, { fail, onChange })
      }
      kept.keep(request.raw, open, request)
      Object.assign(request, { [exposed]: kept })
      done()
    })
    app.addHook('onSend', (request, reply, payload, done) => {
      const exchange = kept.opened(request)
      // An asynchronous handler that does not return the reply it sends makes Fastify send nothing after it.
      if (waiting.has(reply)) return
      if (!exchange?.hasChanges) return done(null, payload)
      waiting.add(reply)
      const saving = whileBodyWaits(payload, () => exchange.saveEarly())
      const saved = saving.finally(() => waiting.delete(reply))
      saved.then(
        () => done(null, payload),
        (error: Error) => {
          dropReply(reply, headersBefore.get(reply) ?? {}, payload)
          done(error)
        },
      )
    })
    done()
  }
  return Object.assign(plugin, {
    of: (request: FastifyRequest) => kept.of(request),
    // What the package fastify-plugin does: the hooks hold outside this plugin's own scope as well.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'pg-sessions',
    [Symbol.for('plugin-meta')]: { name: 'pg-sessions', fastify: '4.x || 5.x' },
  })
}

function exposedSession(this: FastifyRequest): Session {
  const { [exposed]: kept } = this as FastifyRequest & { [exposed]?: RequestSessions<DefaultData> }
  if (kept === undefined) {
    throw new ConfigurationError(
      'This request has no session yet: register fastifySessions(sessions) before the hooks and routes that use it.',
    )
  }
  return kept.of(this)
}

function refuseAssignment(): never {
  throw sessionIsAssigned('fastifySessions')
}
