import type { ServerResponse } from 'node:http'

type Send = (data: unknown, encoding: unknown, callback: unknown, ...rest: unknown[]) => boolean

/**
 * Leads to the hold what is sent past it, by a method that was looked up before the head was held.
 *
 * In `response.end(await answer(session))` JavaScript looks up `end` first, and only then runs what
 * changes the session. Node's own `end`, of which the hold knows nothing, asks for the head, does not
 * get it, and would send the body without one. Both `end` and `write` hand what they send to `_send`,
 * so there the calls are made again, this time through the hold. HTTP/2 has no `_send`.
 */
export function heedEarlyLookup(response: ServerResponse): void {
  const send: Send | undefined = Reflect.get(response, '_send')
  if (send === undefined) return
  const heed: Send = (data, encoding, callback, ...rest) => {
    if (Reflect.get(response, '_header') !== null) {
      Reflect.deleteProperty(response, '_send')
      return Reflect.apply(send, response, [data, encoding, callback, ...rest])
    }
    // `flushHeaders` gives nothing else.
    if (data === '' && encoding === undefined) {
      response.flushHeaders()
      return true
    }
    // `write` also says how many bytes it sends; `end` does not, with what comes last.
    if (rest.length > 0) return Reflect.apply(response.write, response, [data, encoding, callback])
    response.end()
    // Node's `end` has noted the length of its body, which may be dropped, and is about to call the
    // response finished, which is up to the hold.
    Reflect.set(response, '_contentLength', null)
    queueMicrotask(() => Reflect.set(response, 'finished', false))
    return true
  }
  Reflect.set(response, '_send', heed)
}
