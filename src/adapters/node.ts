/**
 * Sessions for plain `node:http` servers and for Connect.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readErrorPage } from '../http/adapter-arguments.ts'
import { assertSessions } from '../http/assert-sessions.ts'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { answerWithError, NodeExchange } from '../http/node-exchange.ts'
import { RequestSessions } from '../http/request-sessions.ts'
import { openUpgradeSession } from '../http/session-from-upgrade.ts'
import { isNodeResponse, refuseMount, wrongMount } from '../http/wrong-mount.ts'

export {
  type CrossSiteOptions,
  type FreshOptions,
  type NodeGuard,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './node/guards.ts'

/** Options of the Node adapter. */
export interface NodeSessionsOptions {
  /**
   * Answers when a session could not be saved; nothing has been sent, and no cookie will be. Defaults to
   * a short plain text with the error's `statusCode`.
   */
  readonly onError?: (error: unknown, request: IncomingMessage, response: ServerResponse) => void
}

/** Gives a request its session: the same one however often it is asked. */
export type NodeSessions<Data extends object> = (
  request: IncomingMessage,
  response: ServerResponse,
) => Session<Data>

/**
 * Makes the function that gives each request its session.
 *
 * What a handler changes is saved before the head of its response leaves: the head is held meanwhile,
 * whichever way the handler writes it. A request that does not use its session costs nothing.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { nodeSessions } from 'pg-sessions/node'
 *
 * const sessionOf = nodeSessions(sessions)
 *
 * createServer(async (request, response) => {
 *   const session = sessionOf(request, response)
 *   await session.update('visits', (visits = 0) => Number(visits) + 1)
 *   response.end(`Visit ${await session.get('visits')}`)
 * })
 * ```
 */
export function nodeSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  options: NodeSessionsOptions = {},
): NodeSessions<Data> {
  assertSessions(sessions, 'nodeSessions')
  const onError = readErrorPage<NonNullable<NodeSessionsOptions['onError']>>(
    'nodeSessions',
    options,
  )
  const kept = new RequestSessions<Data>(sessions, 'nodeSessions')
  return (request, response, ...next: unknown[]) => {
    if (!isNodeResponse(response) || next.length > 0) {
      throw wrongMount(
        'nodeSessions',
        'const sessionOf = nodeSessions(sessions) and, in the handler, sessionOf(request, response); as middleware, connectSessions(sessions)',
      )
    }
    const fail = (error: unknown): void => {
      if (onError === undefined) answerWithError(response, error)
      else onError(error, request, response)
    }
    kept.keep(request, () => new NodeExchange(sessions, request, response, { fail }))
    return kept.of(request)
  }
}

/** Connect middleware that knows what its sessions hold. */
export interface ConnectSessions<Data extends object> {
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void
  /**
   * The request's session. With several of these in one application each gives its own, while
   * `request.session` is that of the last one mounted.
   *
   * @throws {ConfigurationError} This middleware does not run before the route.
   */
  of(request: IncomingMessage): Session<Data>
}

/**
 * Makes Connect middleware that gives each request its session, which is also `request.session`.
 * Errors of a save go to `next`, with the handler's response dropped.
 *
 * @throws {ConfigurationError} `sessions` was not created by `createSessions()`.
 * @example
 * ```ts
 * import { connectSessions } from 'pg-sessions/node'
 *
 * const withSessions = connectSessions(sessions)
 * app.use(withSessions)
 *
 * app.use('/visits', async (request, response) => {
 *   const session = withSessions.of(request)
 *   await session.update('visits', (visits = 0) => Number(visits) + 1)
 *   response.end(`Visit ${await session.get('visits')}`)
 * })
 * ```
 */
export function connectSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  ...noOptions: readonly never[]
): ConnectSessions<Data> {
  assertSessions(sessions, 'connectSessions', noOptions)
  const kept = new RequestSessions<Data>(sessions, 'connectSessions')
  return Object.assign(
    (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => {
      if (!isNodeResponse(response)) {
        return refuseMount('connectSessions', 'app.use(connectSessions(sessions)) in Connect', next)
      }
      kept.keep(request, () => new NodeExchange(sessions, request, response, { fail: next }))
      kept.expose(request)
      next()
    },
    { of: (request: IncomingMessage) => kept.of(request) },
  )
}

/**
 * Gives the session of a request that becomes a WebSocket: of an `upgrade` event, of `connection` in
 * `ws`, of a handshake in Socket.IO.
 *
 * No response follows that could carry a cookie, so it opens the session that the client has and begins
 * none: signing in, rotating and a first value throw `ResponseStartedError`. Changes of a session that
 * is there are saved by `save()`, and at once by `update` and `take`; they go by its id, so they work on
 * after a new token. To hear when it ends, use `sessions.watch`.
 *
 * Browsers send the cookie with a WebSocket from any page of the same site, and some from any page at
 * all: compare the request's `Origin` with your own before.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/WebSocket_Security_Cheat_Sheet.html
 * @example
 * ```ts
 * import { sessionFromUpgrade } from 'pg-sessions/node'
 *
 * server.on('upgrade', async (request, socket, head) => {
 *   const session = sessionFromUpgrade(sessions, request)
 *   await session.load()
 *   if (session.userId === null) return socket.destroy()
 *   wss.handleUpgrade(request, socket, head, (client) => {
 *     const watch = sessions.watch(session, () => client.close(4401))
 *     client.on('close', () => watch.stop())
 *   })
 * })
 * ```
 */
export function sessionFromUpgrade<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  request: IncomingMessage,
): Session<Data> {
  return openUpgradeSession(sessions, request)
}
