import { errorAnswer } from '../../http/error-answer.ts'
import { processWide } from '../../process-wide.ts'

/** Why the response of a request, known by its context, has become an error page. */
const failures = processWide('react-router-failures', () => new WeakMap<object, unknown>())

const MARK = 'x-pg-sessions-failed'

/** What `data(value, init)` of React Router makes, to be thrown. */
export interface ThrownData {
  readonly type: 'DataWithResponseInit'
  readonly data: unknown
  readonly init: ResponseInit
}

/**
 * What to throw for React Router to show an error boundary with the error's status, and to tell
 * `handleError` of the error.
 *
 * @param context - The request's own, by which `failureOf` gives the error again.
 */
export function thrownData(error: unknown, context: object): ThrownData {
  failures.set(context, error)
  const { status } = errorAnswer(error)
  return { type: 'DataWithResponseInit', data: error, init: { status, headers: { [MARK]: '1' } } }
}

/**
 * Whether a response is what React Router makes of it where there is no boundary: the error as JSON. Only
 * then does it keep the headers.
 */
export function isThrownDataAsIs(response: Response): boolean {
  return response.headers.has(MARK)
}

/** What was thrown for a request. */
export function failureOf(context: object): unknown {
  return failures.get(context)
}
