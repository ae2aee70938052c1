/** What handlers of h3 answer with, and how its headers come together. */
import type { H3Event } from 'h3'
import { addToResponse, dropBody } from '../../http/fetch-exchange.ts'
import { ownResponse } from '../../http/own-response.ts'
import { addToHead, type HeadFields, type ResponseHeaders } from '../../http/response-headers.ts'

type EventResponse = H3Event['res']

/** What h3 passes from handler to handler until one responds; its own 404 in the end. */
export function isNotFound(value: unknown): boolean {
  return value === Symbol.for('h3.notFound')
}

/** Remembers the headers and the status that an event's response has so far. */
export function rememberHeaders(response: EventResponse): () => void {
  const { status, statusText } = response
  const before = [...response.headers]
  return () => {
    for (const name of [...response.headers.keys()]) response.headers.delete(name)
    for (const [name, value] of before) response.headers.append(name, value)
    Object.assign(response, { status, statusText })
  }
}

/**
 * Adds to the head that h3 will make of a handler's value: of the headers that the value brings along,
 * and over these those of the event, which for a `Response` of an error are its `errHeaders`.
 */
export function addToValue(
  value: unknown,
  event: EventResponse,
  addition: ResponseHeaders,
): unknown {
  const answer = value instanceof Response ? ownResponse(value, addition) : value
  const isError = answer instanceof Response && answer.status >= 400
  const over = isError ? event.errHeaders : event.headers
  const headers: unknown = Reflect.get(Object(answer), 'headers')
  addToHead(mergedFields(headers instanceof Headers ? headers : new Headers(), over), addition)
  return answer
}

/**
 * Adds to what answers an error. To a `Response` h3 adds nothing itself, and for an error page of its own
 * it takes the event's `errHeaders` alone.
 */
export function addToErrorPage(
  page: unknown,
  event: EventResponse,
  addition: ResponseHeaders,
): unknown {
  if (page instanceof Response) return addToResponse(page, addition)
  const isOwn = page === undefined || page === null || page instanceof Error
  addToHead(mergedFields(new Headers(), isOwn ? event.errHeaders : event.headers), addition)
  return page
}

/** Cancels a value that will not be read. */
export function dropValue(value: unknown): void {
  if (value instanceof Response) return dropBody(value)
  const body = value instanceof ReadableStream ? value : Reflect.get(Object(value), 'body')
  if (body instanceof ReadableStream) body.cancel().catch(() => undefined)
}

/** Two layers of headers as one; what is set lies over what is beneath. */
function mergedFields(beneath: Headers, over: Headers): HeadFields {
  return {
    getHeader(name) {
      if (name === 'Set-Cookie') return over.getSetCookie()
      return over.get(name) ?? beneath.get(name) ?? undefined
    },
    setHeader(name, value) {
      over.delete(name)
      for (const line of [value].flat()) over.append(name, line)
    },
    getHeaderNames: () => [...beneath.keys(), ...over.keys()],
    removeHeader(name) {
      beneath.delete(name)
      over.delete(name)
    },
  }
}
