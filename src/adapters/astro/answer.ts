import { cookieToSet } from '../../http/cookie-to-set.ts'
import { errorAnswer } from '../../http/error-answer.ts'
import { addToResponse, type FetchExchange, fieldsOf } from '../../http/fetch-exchange.ts'
import { addToHead, type ResponseHeaders } from '../../http/response-headers.ts'
import { savedResponse } from '../../http/saved-response.ts'
import type { AstroContext } from './astro-context.ts'
import type { RequestMarks } from './same-request.ts'

/** A request, with its rewrites and its error page. */
export interface Visit<Data extends object> extends RequestMarks {
  readonly exchange: FetchExchange<Data>
  isRunning: boolean
  /** What the last run has thrown to Astro, whose error page is another run. */
  failure: { readonly thrown: unknown } | null
  /** What the last run has answered. */
  answer: Response | null
}

/** Saves, and gives the response with what the session has to say, or what to answer instead. */
export async function answered<Data extends object>(
  visit: Visit<Data>,
  context: Pick<AstroContext, 'cookies' | 'cache'>,
  response: Response,
  errorPage: (error: unknown) => Response | Promise<Response>,
): Promise<Response> {
  const { exchange } = visit
  const page = withStatusOfFailure(visit, response)
  const answer = await savedResponse(exchange, page, errorPage, (given, addition) =>
    withAddition(given, addition, context),
  )
  makeWay(visit, answer)
  visit.answer = mayBeReplaced(answer) ? copyOf(answer) : answer
  exchange.handOver()
  return visit.answer
}

/**
 * Adds to the response, but for the cookies: Astro keeps those apart, through rewrites and other middleware,
 * and sends each once when it joins the headers of a response and of the error page in its place.
 */
function withAddition(
  response: Response,
  addition: ResponseHeaders,
  { cookies, cache }: Pick<AstroContext, 'cookies' | 'cache'>,
): Response {
  for (const line of addition.setCookies) {
    const { name, value, ...attributes } = cookieToSet(line)
    cookies.set(name, value, { ...attributes, encode: (text) => text })
  }
  // Astro writes the header of its cache over what middleware says, and CDNs heed that one.
  if (addition.noStore && cache?.enabled) cache.set(false)
  return addToResponse(response, { ...addition, setCookies: [] })
}

/** `500.astro` always has the status 500, whatever went wrong. */
function withStatusOfFailure<Data extends object>(
  { failure }: Visit<Data>,
  page: Response,
): Response {
  if (failure === null || page.status !== 500) return page
  const { status } = errorAnswer(failure.thrown)
  if (status === page.status) return page
  return new Response(page.body, { status, headers: page.headers })
}

/** Astro may show an error page instead of these, and joins their headers to it. */
function mayBeReplaced({ status, body }: Response): boolean {
  return (status === 404 || status === 500) && body === null
}

/** One that is not another request's, so that its headers may be changed later. */
function copyOf({ status, statusText, headers }: Response): Response {
  return new Response(null, { status, statusText, headers: new Headers(headers) })
}

/** Headers of the response that an error page replaces win over those of the page, so they learn of it. */
function makeWay<Data extends object>({ answer: replaced }: Visit<Data>, page: Response): void {
  if (replaced === null || !mayBeReplaced(replaced)) return
  const noStore = page.headers.get('cache-control') === 'no-store'
  const varyCookie = /cookie/i.test(page.headers.get('vary') ?? '')
  addToHead(fieldsOf(replaced.headers), { setCookies: [], noStore, varyCookie })
}
