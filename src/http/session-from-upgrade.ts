import type { IncomingMessage } from 'node:http'
import type { Exchange, Session, SessionOpener } from './exchange.ts'

/**
 * Opens the session of a request that no response will follow. Whatever needs a cookie is refused, as
 * after the head of a response; an access that is due is noted when the session is loaded.
 */
export function openUpgradeSession<Data extends object>(
  sessions: SessionOpener<Data>,
  request: IncomingMessage,
): Session<Data> {
  const exchange: Exchange<Data> = sessions.open(request.headers.cookie, {
    phase: () => 'sent',
    authorization: () => request.headers.authorization,
    onTouchDue: () => {
      void exchange.commitLate()
    },
  })
  return exchange.session
}
