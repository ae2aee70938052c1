import { ServerResponse } from 'node:http'
import type { Method } from './overlay.ts'
import { addToHead, type ResponseHeaders, varyOnly } from './response-headers.ts'
import { applyWriteHead } from './written-head.ts'

/**
 * Has a response's head say that it depends on the request's cookies, whatever its handler says of
 * `Vary`: a handler that replaces the field would let caches give one visitor's page to another.
 *
 * Nothing waits. It lays one method over the response, the same function for all responses whose
 * `writeHead` is Node's own: V8 would make a shape of its own for every other one.
 */
export function varyWithHead(response: ServerResponse): void {
  const inner = Reflect.get(response, 'writeHead') as Method
  Reflect.set(response, 'writeHead', inner === nodes ? nodesVarying : varying(inner, varyOnly))
}

/** Has a response's head say what is to be said of its session when it leaves. */
export function addWithHead(response: ServerResponse, headers: () => ResponseHeaders): void {
  const inner = Reflect.get(response, 'writeHead') as Method
  Reflect.set(response, 'writeHead', varying(inner, headers))
}

const nodes = ServerResponse.prototype.writeHead as Method
const nodesVarying = varying(nodes, varyOnly)

function varying(inner: Method, headers: ResponseHeaders | (() => ResponseHeaders)): Method {
  return function (this: ServerResponse, ...args) {
    if (this.headersSent) return Reflect.apply(inner, this, args)
    // Fields given here replace those set before, and Node takes a list of pairs only where none is set.
    const status = args.slice(1).some(mustBeSetFirst) ? applyWriteHead(this, args) : args
    addToHead(this, typeof headers === 'function' ? headers() : headers)
    return Reflect.apply(inner, this, status)
  }
}

/** Fields come as an object, or as a list of names and values, flat or in pairs. */
function mustBeSetFirst(fields: unknown): boolean {
  if (typeof fields !== 'object' || fields === null) return false
  return Array.isArray(fields) || Object.keys(fields).some((name) => /^vary$/i.test(name))
}
