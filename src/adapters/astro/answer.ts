import { errorAnswer } from '../../http/error-answer.ts'
import { addToResponse, type FetchExchange } from '../../http/fetch-exchange.ts'
import { savedResponse } from '../../http/saved-response.ts'
import type { AstroContext, RequestMarks } from './same-request.ts'

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
  { cache }: Pick<AstroContext, 'cache'>,
  response: Response,
  errorPage: (error: unknown) => Response | Promise<Response>,
): Promise<Response> {
  const { exchange } = visit
  const answer = await savedResponse(exchange, withStatusOfFailure(visit, response), errorPage)
  moveCookies(visit, answer)
  // Astro writes the header of its cache over what middleware says, and CDNs heed that one.
  if (exchange.head.noStore && cache?.enabled) cache.set(false)
  visit.answer = answer
  exchange.handOver()
  return answer
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

/**
 * Takes the cookies off the answer that an error page replaces. Astro joins the headers of both, where the
 * first one's win, but for cookies, which would be there twice.
 */
function moveCookies<Data extends object>(
  { exchange: { head }, answer: replaced }: Visit<Data>,
  answer: Response,
): void {
  if (replaced === null || replaced === answer || !head.noStore) return
  const lines = replaced.headers.getSetCookie()
  const others = lines.filter((line) => !head.setCookies.includes(line))
  if (others.length < lines.length) {
    replaced.headers.delete('set-cookie')
    for (const line of others) replaced.headers.append('set-cookie', line)
  }
  addToResponse(replaced, { ...head, setCookies: [] })
}
