import type { IncomingMessage } from 'node:http'
import { processWide } from '../process-wide.ts'
import { authorizationOf } from './authorization-field.ts'
import type { Exchange, Session, SessionOpener } from './exchange.ts'

/** Sockets whose errors are heard. */
const heard = processWide('upgrade-sockets', () => new WeakSet<object>())

/**
 * Opens the session of a request that no response will follow. Whatever needs a cookie is refused, as
 * after the head of a response; an access that is due is noted when the session is loaded.
 */
export function openUpgradeSession<Data extends object>(
  sessions: SessionOpener<Data>,
  request: IncomingMessage,
): Session<Data> {
  hearErrors(request)
  const exchange: Exchange<Data> = sessions.open(request.headers.cookie, {
    phase: () => 'sent',
    authorization: () => authorizationOf(request),
    onTouchDue: () => {
      void exchange.commitLate()
    },
  })
  return exchange.session
}

/**
 * Node has taken its own listener off the socket of an `upgrade` event. While a handler waits for the session, a
 * client that resets the connection would end the process by an `error` event without a listener.
 */
function hearErrors({ socket }: Partial<IncomingMessage>): void {
  if (typeof socket?.on !== 'function' || heard.has(socket)) return
  heard.add(socket)
  socket.on('error', () => socket.destroy())
}
