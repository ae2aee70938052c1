import { isSessionError, type SessionErrorCode } from '../errors.ts'

/** The response when a session could not be saved and nothing else responds. */
export interface ErrorAnswer {
  readonly status: number
  readonly body: string
}

/** What a guard says of a request that it refuses. */
const GUARDED: { readonly [Code in SessionErrorCode]?: string } = {
  ERR_AMBIGUOUS_CREDENTIALS: 'Send either a cookie or a token, not both.',
  ERR_CROSS_SITE: 'A page of another site sent this request, so nothing was done.',
  ERR_NOT_FRESH: 'Please sign in again.',
}

/** Says no more than the kind of the failure: what went wrong is for the log. */
export function errorAnswer(error: unknown): ErrorAnswer {
  const status = isSessionError(error) ? error.statusCode : 500
  const guarded = isSessionError(error) ? GUARDED[error.code] : undefined
  if (guarded !== undefined) return { status, body: guarded }
  const body =
    status === 503
      ? 'The session could not be saved. Please try again later.'
      : status === 409
        ? 'The session has ended. Please sign in again.'
        : 'The session could not be saved.'
  return { status, body }
}
