import type { ServerResponse } from 'node:http'
import { ownHeaders } from 'pg-sessions/testing'

/** Calls a listener when the head of a response is about to leave, the way the package on-headers does. */
export function beforeHead(response: ServerResponse, listener: () => void): void {
  const writeHead: (...args: never[]) => unknown = response.writeHead
  let hasFired = false
  Reflect.set(response, 'writeHead', function (this: ServerResponse, ...args: never[]) {
    if (!hasFired) {
      hasFired = true
      listener()
    }
    return Reflect.apply(writeHead, this, args)
  })
}

/** Lets caches keep a response, as a middleware for static pages does. */
export function setCacheControl(response: ServerResponse): void {
  response.setHeader('Cache-Control', ownHeaders['Cache-Control'])
}
