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
  const overlay = new Overlay(response)
  return withHead(response, addition, () => {
    if (status !== undefined) response.statusCode = status[0]
    // Past those who wrapped `writeHead` since: they saw the head when the handler sent it.
    const writeHead = inner.writeHead.bind(response, ...(status ?? []))
    overlay.method('_implicitHeader', () => writeHead())
    let willDrain = false
    try {
      for (const { name, args } of calls) {
        const result = Reflect.apply(inner[name], response, args)
        if (name === 'write' && result === false) willDrain = true
      }
    } finally {
      overlay.lift()
    }
    return willDrain
  })
}

/** Sends the head, or what makes Node send it, with what is added to it. */
export function withHead<Result>(
  response: ServerResponse,
  addition: ResponseHeaders,
  send: () => Result,
): Result {
  addToHead(response, addition)
  const lastWord = layLastWord(response, addition)
  try {
    return send()
  } finally {
    lastWord?.lift()
  }
}

/**
 * Adds once more at the moment Node makes the head: those who wrapped `writeHead` before the hold, as
 * on-headers does, run between the first time and that, and may have let caches keep the response.
 */
function layLastWord(response: ServerResponse, addition: ResponseHeaders): Overlay | undefined {
  const sendsHead = Reflect.has(response, '_storeHeader')
    ? { target: response, name: '_storeHeader' }
    : { target: Reflect.get(response, 'stream'), name: 'respond' }
  const target: object | undefined = sendsHead.target
  if (target === undefined) return undefined
  const send = Reflect.get(target, sendsHead.name) as Method
  const overlay = new Overlay(target)
  overlay.method(sendsHead.name, (...args) => {
    keepInHead(response, addition)
    return Reflect.apply(send, target, args)
  })
  return overlay
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
