/** What joins the head of a response besides what its handler wrote. Knows headers, not sessions. */
import type { ServerResponse } from 'node:http'

/** What to add to the head once the save is done. */
export interface HeadAddition {
  /** Whole `Set-Cookie` values; each becomes a line of its own beside the handler's. */
  readonly setCookies: readonly string[]
  /** Keeps every cache from storing the response, whatever the handler said. */
  readonly noStore: boolean
  /** Tells caches that the response depends on the request's cookies. */
  readonly varyCookie: boolean
}

/**
 * Adds to a response whose head has not left.
 *
 * The handler's own `Set-Cookie` lines stay, and arrays that it passed to `setHeader` are not
 * written to: a shared one would carry one visitor's cookie to the next.
 *
 * @throws {Error} `ERR_HTTP_HEADERS_SENT` when there is something to add and the head has left.
 * @example
 * ```ts
 * addToHead(response, { setCookies: [], noStore: false, varyCookie: true })
 * ```
 */
export function addToHead(response: ServerResponse, addition: HeadAddition): void {
  const { setCookies, noStore, varyCookie } = addition
  if (setCookies.length > 0) {
    response.setHeader('Set-Cookie', [...linesOf(response, 'Set-Cookie'), ...setCookies])
  }
  if (noStore) forbidStoring(response)
  if (varyCookie) varyOnCookie(response)
}

/** Targeted fields overrule `Cache-Control` in the caches they name, so they go. @see RFC 9213 §2.2 */
const TARGETED_CACHE_FIELD = /^(?:.+-cache-control|surrogate-control)$/

function forbidStoring(response: ServerResponse): void {
  for (const name of response.getHeaderNames()) {
    if (TARGETED_CACHE_FIELD.test(name)) response.removeHeader(name)
  }
  response.setHeader('Cache-Control', 'no-store')
}

function varyOnCookie(response: ServerResponse): void {
  if (!response.hasHeader('Vary')) return void response.setHeader('Vary', 'Cookie')
  const lines = linesOf(response, 'Vary')
  const names = lines.flatMap((line) => line.split(',')).map((name) => name.trim().toLowerCase())
  if (names.includes('*') || names.includes('cookie')) return
  response.setHeader('Vary', [...lines, 'Cookie'].join(', '))
}

function linesOf(response: ServerResponse, name: string): string[] {
  const value = response.getHeader(name)
  if (value === undefined) return []
  return Array.isArray(value) ? value.map(String) : [String(value)]
}
