/**
 * The response itself where no other request can be given it too, else a copy.
 *
 * What is added to a response that several requests share reaches all of them: one visitor's cookie would
 * go to the next. Shared are a `Response` without a body that a module keeps, and the headers of servers'
 * own kinds of responses, which hold on to those they are given. A body can be sent once, so a response of
 * the platform's own kind that has one belongs to one request. Copying that as well would cost it what
 * servers know of its body: its length, its file.
 */
export function ownResponse(response: Response): Response {
  return isSentOnce(response) && takesHeaders(response.headers) ? response : copyOf(response)
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
  const { status, statusText } = response
  const isBodiless = status === 204 || status === 205 || status === 304
  // Before the headers: some servers' responses know the type of their body only then.
  const body = isBodiless ? null : response.body
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
