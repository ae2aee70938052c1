/** Sends what a held response has queued: the head with what is added to it, then the body. */
import type { ServerResponse } from 'node:http'
import { type Method, Overlay } from './overlay.ts'
import { addToHead, keepInHead, type ResponseHeaders } from './response-headers.ts'
import type { StatusLine } from './written-head.ts'

/** What sends the head, or fixes it. `writeHeader` is an old name of `writeHead`. */
export type Sending =
  | 'writeHead'
  | 'writeHeader'
  | '_implicitHeader'
  | '_storeHeader'
  | 'write'
  | 'end'
  | 'flushHeaders'

/** A call of the handler that waits. */
export interface Call {
  readonly name: Sending
  readonly args: readonly unknown[]
}

/**
 * Makes the calls, by the methods beneath the hold.
 *
 * @param inner - Node's own methods, or those of who wrapped the response before it was held.
 * @returns Whether Node will emit `drain`.
 */
export function replayCalls(
  response: ServerResponse,
  inner: Readonly<Record<Sending, Method>>,
  status: StatusLine | undefined,
  calls: readonly Call[],
  addition: ResponseHeaders,
): boolean {
  addToHead(response, addition)
  if (status !== undefined) response.statusCode = status[0]
  const overlay = new Overlay(response)
  // Past those who wrapped `writeHead` since: they saw the head when the handler sent it.
  const writeHead = inner.writeHead.bind(response, ...(status ?? []))
  overlay.method('_implicitHeader', () => writeHead())
  const stream = layLastWord(response, overlay, addition)
  let willDrain = false
  try {
    for (const { name, args } of calls) {
      const result = Reflect.apply(inner[name], response, args)
      if (name === 'write' && result === false) willDrain = true
    }
  } finally {
    overlay.lift()
    stream?.lift()
  }
  return willDrain
}

/**
 * Adds once more at the moment Node makes the head: those who wrapped `writeHead` before the hold, as
 * on-headers does, run between the first time and that, and may have let caches keep the response.
 */
function layLastWord(
  response: ServerResponse,
  overlay: Overlay,
  addition: ResponseHeaders,
): Overlay | undefined {
  const storeHeader: Method | undefined = Reflect.get(response, '_storeHeader')
  if (storeHeader !== undefined) {
    overlay.method('_storeHeader', (...args) => {
      keepInHead(response, addition)
      return Reflect.apply(storeHeader, response, args)
    })
    return undefined
  }
  const stream: object | undefined = Reflect.get(response, 'stream')
  if (stream === undefined) return undefined
  const respond = Reflect.get(stream, 'respond') as Method
  const ofStream = new Overlay(stream)
  ofStream.method('respond', (...args) => {
    keepInHead(response, addition)
    return Reflect.apply(respond, stream, args)
  })
  return ofStream
}

/** Ends a call that leads nowhere: its callback is not called, and nothing is emitted. */
export function dropCall(
  { name, args }: Call,
  response: ServerResponse,
  failure: unknown,
): unknown {
  const callback = args.findLast((argument) => typeof argument === 'function')
  if (callback !== undefined) process.nextTick(callback as Method, failure)
  return name === 'write' ? false : response
}
