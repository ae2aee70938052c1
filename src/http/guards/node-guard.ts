import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GuardedRequest } from './request-guard.ts'

/** A guard's view of a request of Node. */
export function nodeRequest(request: IncomingMessage, session: () => unknown): GuardedRequest {
  const { headers } = request
  // Express keeps the whole path here, of which a router cuts its own part off.
  const { originalUrl } = request as { readonly originalUrl?: string }
  return {
    method: request.method ?? 'GET',
    url: originalUrl ?? request.url ?? '/',
    header(name) {
      const value = headers[name] ?? (name === 'host' ? headers[':authority'] : undefined)
      return Array.isArray(value) ? value.join(', ') : value
    },
    session,
  }
}

/** Sends the client elsewhere, on Node's own response, unless other code has answered while the guard waited. */
export function redirectOnNode(response: ServerResponse, location: string): void {
  if (response.headersSent) return
  response.statusCode = 303
  response.setHeader('Location', location)
  response.setHeader('Cache-Control', 'no-store')
  response.end()
}
