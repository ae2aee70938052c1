/** How a response whose head is held looks to its handler: as if the head had left. */

import { ServerResponse } from 'node:http'
import { processWide } from '../process-wide.ts'
import { type Method, Overlay } from './overlay.ts'

/** What the handler of a held response has done so far. */
export interface Progress {
  ended: boolean
  needsDrain: boolean
}

type Change = 'setHeader' | 'setHeaders' | 'appendHeader' | 'removeHeader'

// Made once for all responses, as the getters below are.
const changes = [
  refusal('setHeader'),
  refusal('setHeaders'),
  refusal('appendHeader'),
  refusal('removeHeader'),
]

/** The progress of each response that is held; two holds of one response take turns. */
const progressOf = processWide('fake-sent-state', () => new WeakMap<object, Readonly<Progress>>())

/**
 * Lays the look over a response until it is lifted. It follows the progress.
 *
 * `finished` is left alone: `server.close()` reads it to find connections that it may cut, and
 * would cut the one that waits.
 */
export function laySentLook(response: ServerResponse, progress: Readonly<Progress>): Overlay {
  progressOf.set(response, progress)
  const look = new Overlay(response)
  for (const change of changes) look.method(change.name, change.refuse)
  look.getter('headersSent', headersSent)
  look.getter('writableEnded', writableEnded)
  look.getter('writableNeedDrain', writableNeedDrain)
  return look
}

/** Lets Node itself throw `ERR_HTTP_HEADERS_SENT`, on a response of its own whose head has left. */
export function throwHeadersSent(
  response: ServerResponse,
  method: 'writeHead' | Change,
  args: readonly unknown[],
): void {
  const sent = new ServerResponse(response.req)
  sent.writeHead(200)
  Reflect.apply(sent[method], sent, args)
}

function refusal(name: Change): { name: Change; refuse: Method } {
  return {
    name,
    refuse(this: ServerResponse, ...args) {
      throwHeadersSent(this, name, args)
    },
  }
}

function headersSent(): true {
  return true
}

function writableEnded(this: object): boolean {
  return progressOf.get(this)?.ended ?? false
}

function writableNeedDrain(this: object): boolean {
  const { ended, needsDrain } = progressOf.get(this) ?? { ended: false, needsDrain: false }
  return needsDrain && !ended && !(this as ServerResponse).destroyed
}
