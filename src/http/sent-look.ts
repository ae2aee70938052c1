/** How a response whose head is held looks to its handler: as if the head had left. */
import { ServerResponse } from 'node:http'
import { Overlay } from './overlay.ts'

/** What the handler of a held response has done so far. */
export interface Progress {
  ended: boolean
  needsDrain: boolean
}

const CHANGES = ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader'] as const

/**
 * Lays the look over a response until it is lifted.
 *
 * `finished` is left alone: `server.close()` reads it to find connections that it may cut, and
 * would cut the one that waits.
 */
export function laySentLook(response: ServerResponse, progress: Readonly<Progress>): Overlay {
  const look = new Overlay(response)
  for (const change of CHANGES) {
    look.method(change, (...args) => throwHeadersSent(response, change, args))
  }
  look.getter('headersSent', () => true)
  look.getter('writableEnded', () => progress.ended)
  look.getter('writableNeedDrain', () => {
    return progress.needsDrain && !progress.ended && !response.destroyed
  })
  return look
}

/** Lets Node itself throw `ERR_HTTP_HEADERS_SENT`, on a response of its own whose head has left. */
export function throwHeadersSent(
  response: ServerResponse,
  method: 'writeHead' | (typeof CHANGES)[number],
  args: readonly unknown[],
): void {
  const sent = new ServerResponse(response.req)
  sent.writeHead(200)
  Reflect.apply(sent[method], sent, args)
}
