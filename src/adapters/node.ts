/**
 * Sessions for plain `node:http` servers and for Connect.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DefaultData, Session, SessionOpener } from '../http/exchange.ts'
import { answerWithError, openNodeExchange } from '../http/node-exchange.ts'

/** Options of the Node adapter. */
export interface NodeSessionsOptions {
  /**
   * Answers when a session could not be saved; nothing has been sent, and no cookie will be. Defaults to
   * a short plain text with the error's `statusCode`.
   */
  readonly onError?: (error: unknown, request: IncomingMessage, response: ServerResponse) => void
}

/** Gives a request its session. */
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
  const { onError } = options
  return (request, response) => {
    const fail = (error: unknown): void => {
      if (onError === undefined) answerWithError(response, error)
      else onError(error, request, response)
    }
    return openNodeExchange(sessions, request, response, fail).session
  }
}

/**
 * Makes Connect middleware that puts the session on `request.session`. Errors of a save go to `next`.
 *
 * @example
 * ```ts
 * app.use(connectSessions(sessions))
 * ```
 */
export function connectSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
): (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    const { session } = openNodeExchange(sessions, request, response, next)
    Object.assign(request, { session })
    next()
  }
}
