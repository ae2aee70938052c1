import type { Request } from 'express'

/**
 * Sends a form to this server as the visitor's browser would, with the visitor's cookie.
 *
 * The address is the socket's own, never the `Host` header's, so the cookie does not leave this machine.
 */
export function postAsVisitor(request: Request, path: string): Promise<Response> {
  const origin = `http://127.0.0.1:${request.socket.localPort}`
  const headers = { Origin: origin, Cookie: request.get('cookie') ?? '' }
  return fetch(new URL(path, origin), { method: 'POST', redirect: 'manual', headers })
}
