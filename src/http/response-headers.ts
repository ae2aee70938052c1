/** What joins the head of a response besides what its handler wrote. Knows headers, not sessions. */

/** What to add to the head once the save is done. */
export interface ResponseHeaders {
  /** Whole `Set-Cookie` values; each becomes a line of its own beside the handler's. */
  readonly setCookies: readonly string[]
  /** Keeps every cache from storing the response, whatever the handler said. */
  readonly noStore: boolean
  /** Tells caches that the response depends on the request's cookies. */
  readonly varyCookie: boolean
  /** Tells caches that the response depends on `Authorization`, too. */
  readonly varyAuthorization?: boolean
  /** Fields to set besides, such as a new token for a client without cookies. */
  readonly fields?: Readonly<Record<string, string>>
  /** The `WWW-Authenticate` of a response whose handler gives none: the handler knows better what it asks for. */
  readonly challenge?: string
}

/** The headers of a response, as Node's own `ServerResponse` has them. */
export interface HeadFields {
  getHeader(name: string): number | string | readonly string[] | undefined
  setHeader(name: string, value: string | string[]): unknown
  getHeaderNames(): string[]
  removeHeader(name: string): unknown
}

/** Tells caches that a response which says nothing new depends on the request's cookies. */
export const varyOnly: ResponseHeaders = Object.freeze({
  setCookies: Object.freeze([]),
  noStore: false,
  varyCookie: true,
})

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
export function addToHead(head: HeadFields, addition: ResponseHeaders): void {
  const { setCookies, noStore, varyCookie, varyAuthorization, fields = {}, challenge } = addition
  if (setCookies.length > 0) {
    head.setHeader('Set-Cookie', [...linesOf(head, 'Set-Cookie'), ...setCookies])
  }
  if (noStore) forbidStoring(head)
  if (varyCookie) varyOn(head, 'Cookie')
  if (varyAuthorization) varyOn(head, 'Authorization')
  for (const [name, value] of Object.entries(fields)) head.setHeader(name, value)
  if (challenge !== undefined && linesOf(head, CHALLENGE).length === 0) {
    head.setHeader(CHALLENGE, challenge)
  }
}

/** Adds what is missing once more, after others have had their say: the addition has the last word. */
export function keepInHead(head: HeadFields, addition: ResponseHeaders): void {
  const lines = linesOf(head, 'Set-Cookie')
  const setCookies = addition.setCookies.filter((line) => !lines.includes(line))
  addToHead(head, { ...addition, setCookies })
}

const CHALLENGE = 'WWW-Authenticate'

/** Targeted fields overrule `Cache-Control` in the caches they name, so they go. @see RFC 9213 §2.2 */
const TARGETED_CACHE_FIELD = /^(?:.+-cache-control|surrogate-control)$/i

/** Whether a field tells caches what to keep. */
export function isCacheField(name: string): boolean {
  return /^cache-control$/i.test(name) || TARGETED_CACHE_FIELD.test(name)
}

function forbidStoring(head: HeadFields): void {
  for (const name of head.getHeaderNames()) {
    if (TARGETED_CACHE_FIELD.test(name)) head.removeHeader(name)
  }
  head.setHeader('Cache-Control', 'no-store')
}

function varyOn(head: HeadFields, field: 'Cookie' | 'Authorization'): void {
  const lines = linesOf(head, 'Vary')
  if (lines.length === 0) return void head.setHeader('Vary', field)
  const names = lines.flatMap((line) => line.split(',')).map((name) => name.trim().toLowerCase())
  if (names.includes('*') || names.includes(field.toLowerCase())) return
  head.setHeader('Vary', [...lines, field].join(', '))
}

function linesOf(head: HeadFields, name: string): string[] {
  const value = head.getHeader(name)
  if (value === undefined) return []
  return typeof value === 'object' ? value.map(String) : [String(value)]
}
