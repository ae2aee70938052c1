import { ConfigurationError } from '../errors.ts'
import { processWide } from '../process-wide.ts'
import type { ResponseHeaders } from './response-headers.ts'

/** Copies that were made for one request. */
const copies = processWide('own-responses', () => new WeakSet<Response>())

/**
 * The response itself where what joins it may reach other requests too, else a copy.
 *
 * A module may return one `Response` for many requests, and what is added to it stays: one visitor's cookie
 * would go to the next. So a cookie or a token goes to a copy. That a page depends on the cookie holds for
 * all of its visitors, so the platform's own responses with a body learn of that themselves: a copy would cost
 * what servers know of a body, such as its length or its file. Not so those without a body, and the headers of
 * servers' own kinds of responses, which hold on to those they are given.
 *
 * @param method - Of the request: a HEAD needs no body.
 * @throws {ConfigurationError} If the body has been read already, so that no copy can have it.
 */
export function ownResponse(
  response: Response,
  addition: ResponseHeaders,
  method?: string,
): Response {
  if (copies.has(response)) return response
  const mayStay = !isPersonal(addition) && isSentOnce(response) && takesHeaders(response.headers)
  if (mayStay) return response
  const copy = method === 'HEAD' && isRead(response) ? headOf(response) : copyOf(response)
  copies.add(copy)
  return copy
}

function isPersonal({ setCookies, fields, challenge }: ResponseHeaders): boolean {
  return setCookies.length > 0 || fields !== undefined || challenge !== undefined
}

function isSentOnce(response: Response): boolean {
  return isPlatforms(response) && hasBody(response)
}

/** Those of servers and of applications stand in for the platform's, and inherit from it. */
function isPlatforms(response: Response): boolean {
  return Object.getPrototypeOf(Object.getPrototypeOf(response)) === Object.prototype
}

/** Bun forgets the type of a text once its body is looked at, so there a clone is. */
function hasBody(response: Response): boolean {
  if (!('Bun' in globalThis) || response.bodyUsed) return response.body !== null
  const { body } = response.clone()
  body?.cancel().catch(() => undefined)
  return body !== null
}

/** Those of `Response.redirect()` and of fetched responses cannot be changed. */
function takesHeaders(headers: Headers): boolean {
  try {
    headers.delete('x-pg-sessions')
    return true
  } catch {
    return false
  }
}

function copyOf(response: Response): Response {
  const plain = plainParts(response)
  if (plain !== undefined) {
    const { status, body } = plain
    const OfServer = response.constructor as typeof Response
    return new OfServer(body, { status, headers: new Headers(response.headers) })
  }
  // Not before: a response of @hono/node-server forgets its parts when asked.
  if (response.bodyUsed) throw bodyIsUsed()
  const { status, statusText } = response
  const isBodiless = status === 204 || status === 205 || status === 304
  if ('Bun' in globalThis && isSentOnce(response) && takesHeaders(response.headers)) {
    return cloneOf(response)
  }
  // Before the headers: some servers' responses know the type of their body only then.
  const body = isBodiless ? null : response.body
  if (body?.locked) throw bodyIsUsed()
  return new Response(body, { status, statusText, headers: new Headers(response.headers) })
}

/**
 * What a response of @hono/node-server was made of, as long as it knows: a copy of its body, which is a
 * stream, would have no `Content-Length`.
 */
function plainParts(response: Response): { status: number; body: string | null } | undefined {
  if (isPlatforms(response)) return undefined
  const cache = Object.getOwnPropertySymbols(response).find(
    ({ description }) => description === 'cache',
  )
  const parts: unknown = cache && Reflect.get(response, cache)
  if (!Array.isArray(parts)) return undefined
  const [status, body]: unknown[] = parts
  const isPlain = body === null || typeof body === 'string'
  return typeof status === 'number' && isPlain ? { status, body } : undefined
}

/** Bun knows the type of a text as long as its body is not looked at, so there a clone is. */
function cloneOf(response: Response): Response {
  const clone = response.clone()
  // Else the whole of a stream would be kept in memory for a reader who does not come.
  response.body?.cancel().catch(() => undefined)
  return clone
}

function isRead({ bodyUsed, body }: Response): boolean {
  return bodyUsed || body?.locked === true
}

/** A copy without a body, which the answer to an earlier HEAD has cancelled. */
function headOf({ status, statusText, headers }: Response): Response {
  return new Response(null, { status, statusText, headers: new Headers(headers) })
}

function bodyIsUsed(): ConfigurationError {
  return new ConfigurationError(
    'The handler returned a Response whose body was read already, or has another reader, so it cannot be sent with the cookie of this visitor. Make a new Response for each request, instead of returning one that a module keeps.',
  )
}
