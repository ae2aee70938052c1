import { addToResponse, dropBody, errorResponse, type FetchExchange } from './fetch-exchange.ts'

/**
 * Gives the response, with what the session has to say, once everything is saved. When that fails, what the
 * error page answers goes in its place, and is saved for as well.
 *
 * @param errorPage - A short plain text with the error's `statusCode` by default.
 * @param add - Adds what the session has to say, where a framework has ways of its own.
 */
export async function savedResponse<Data extends object>(
  exchange: FetchExchange<Data>,
  response: Response,
  errorPage: (error: unknown) => Response | Promise<Response> = errorResponse,
  add: typeof addToResponse = addToResponse,
): Promise<Response> {
  try {
    return add(response, await exchange.commit(), exchange.method)
  } catch (error) {
    exchange.discard()
    dropBody(response)
    const page = await errorPage(error)
    // An error page that changes the session again must not go round in circles.
    if (exchange.hasChanges) return savedResponse(exchange, page, errorResponse, add)
    // A token that an earlier save has replaced is dead: the client needs the new one all the same.
    return add(page, exchange.head, exchange.method)
  }
}
