import type { IncomingMessage } from 'node:http'

/**
 * The `Authorization` of a request of Node.
 *
 * A request may have one (RFC 9110, section 11.6.2). Of several Node keeps the first, while a proxy in front may have
 * checked another: joined, they are not a token, as in the Fetch standard. Frameworks that make a `Request` of Node's
 * headers (SvelteKit, Astro, React Router) pass on the first only.
 */
export function authorizationOf(request: IncomingMessage): string | undefined {
  // HTTP/2 has no such view, and takes one of these fields only.
  const views: Partial<Pick<IncomingMessage, 'headersDistinct'>> = request
  const lines = views.headersDistinct?.['authorization'] ?? []
  return lines.length > 1 ? lines.join(', ') : request.headers.authorization
}
