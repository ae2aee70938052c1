import type { ErrorRequestHandler, RequestHandler } from 'express'
import { isSessionError } from 'pg-sessions'
import { errorPage } from '../pages/error-page.ts'

export const noSuchPage: RequestHandler = (_request, response) => {
  response
    .status(404)
    .send(String(errorPage('Page not found', 'The shop has no page at this address.')))
}

/** Answers with a page. Details are for the terminal; visitors get what they can do about it. */
export const answerErrors: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) return next(error)
  const { statusCode = 500 } = error as { statusCode?: number }
  if (statusCode >= 500) console.error(error)
  response.status(statusCode).send(String(describe(error)))
}

function describe(error: unknown): ReturnType<typeof errorPage> {
  const code = isSessionError(error) ? error.code : undefined
  if (code === 'ERR_SESSION_GONE') {
    return errorPage('Your session has ended', 'It ended while this request was in flight.')
  }
  if (code === 'ERR_CROSS_SITE') {
    return errorPage('This form came from another site', 'The shop did nothing.')
  }
  if (code === 'ERR_NOT_FRESH') {
    return errorPage('Sign in again first', 'A change of address needs a recent sign-in.')
  }
  if (code === 'ERR_STORE_UNAVAILABLE') {
    return errorPage('The database does not answer', 'Nothing is lost. Please try again soon.')
  }
  return errorPage('That did not work', 'The terminal of the demo says why.')
}
