import { realTime } from '../real-time.ts'
import type { RequestTarget } from '../session/response-link.ts'
import { errorAnswer } from './error-answer.ts'
import type { Exchange, SessionOpener } from './exchange.ts'
import { ownResponse } from './own-response.ts'
import { targetOf } from './request-target.ts'
import { addToHead, type HeadFields, keepInHead, type ResponseHeaders } from './response-headers.ts'
import { sealNoStore } from './sealed-headers.ts'

/** A session joined to a request of the Fetch standard. */
export interface FetchExchange<Data extends object>
  extends Pick<Exchange<Data>, 'session' | 'commit' | 'discard' | 'head' | 'hasChanges'> {
  /** Of the request. */
  readonly method: string
  /**
   * Says that the response is handed over. What changes from now on, while a body streams, is saved on
   * its own soon after, and no cookie can be sent any more.
   */
  handOver(): void
  /** Says that another response takes the place of the one that was handed over, with a head of its own. */
  takeBack(): void
}

/**
 * Joins a session to a request.
 *
 * @param onChange - Told when the session is about to change for the first time.
 */
export function openFetchExchange<Data extends object>(
  sessions: SessionOpener<Data>,
  request: Request,
  onChange?: () => void,
): FetchExchange<Data> {
  let isHandedOver = false
  const exchange: Exchange<Data> = sessions.open(request.headers.get('cookie'), {
    phase() {
      if (isHandedOver) return 'sent'
      return request.signal.aborted ? 'gone' : 'open'
    },
    authorization: () => request.headers.get('authorization'),
    target: () => targetOfRequest(request),
    isConditional() {
      return request.headers.has('if-none-match') || request.headers.has('if-modified-since')
    },
    onChange() {
      if (isHandedOver) void realTime.setTimeout(saveLate, 0, exchange)
      else onChange?.()
    },
  })
  return Object.assign(exchange, {
    method: request.method,
    handOver() {
      isHandedOver = true
      void saveLate(exchange)
    },
    takeBack() {
      isHandedOver = false
    },
  })
}

function targetOfRequest({ headers, url }: Request): RequestTarget {
  const { protocol, host } = new URL(url)
  const given = (name: string): string | undefined => headers.get(name) ?? undefined
  const fields = { forwarded: given('forwarded'), 'x-forwarded-proto': given('x-forwarded-proto') }
  return targetOf({ host: given('host') ?? host, ...fields }, protocol === 'https:')
}

/** Saves until there is nothing left, and wants to be told of the next change. */
async function saveLate(exchange: Pick<Exchange, 'hasChanges' | 'commitLate' | 'discard'>) {
  while (exchange.hasChanges) await exchange.commitLate()
  exchange.discard()
}

/**
 * Adds to a response: to itself, or to a copy when its headers cannot be changed or may be those of other
 * requests' responses, too. What is not a response to the request (101, and the network error of
 * `Response.error()`) is left as it is.
 */
export function addToResponse(
  response: Response,
  addition: ResponseHeaders,
  method?: string,
): Response {
  if (!addition.varyCookie || response.status < 200) return response
  const own = ownResponse(response, addition, method)
  addToHead(fieldsOf(own.headers), addition)
  if (addition.noStore) sealNoStore(own.headers)
  return own
}

/** Adds what is missing from a response that other code has changed or replaced since it was added to. */
export function keepInResponse(response: Response, addition: ResponseHeaders): Response {
  if (response.status < 200) return response
  const own = ownResponse(response, addition)
  keepInHead(fieldsOf(own.headers), addition)
  return own
}

/** Cancels a body that will not be read, and ignores its source's errors. */
export function dropBody(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}

/** Answers with what can be said of an error, in plain text. */
export function errorResponse(error: unknown): Response {
  const { status, body } = errorAnswer(error)
  return new Response(body, { status, headers: { 'cache-control': 'no-store' } })
}

/** Headers of the Fetch standard, to be added to in place. */
export function fieldsOf(headers: Headers): HeadFields {
  return {
    getHeader: (name) =>
      name === 'Set-Cookie' ? headers.getSetCookie() : (headers.get(name) ?? undefined),
    setHeader(name, value) {
      const [first = '', ...more] = [value].flat()
      headers.set(name, first)
      for (const line of more) headers.append(name, line)
    },
    getHeaderNames: () => [...headers.keys()],
    removeHeader: (name) => headers.delete(name),
  }
}
