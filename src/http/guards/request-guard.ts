import { ConfigurationError, CrossSiteError, ReauthenticationRequiredError } from '../../errors.ts'
import { isSession } from '../../session/is-session.ts'
import type { Session } from '../../session/session.ts'

/** What a guard sees of a request. */
export interface GuardedRequest {
  readonly method: string
  /** The path with its query, or the whole URL. */
  readonly url: string
  /** Is given a name in lower case. */
  header(name: string): string | undefined
  /** The framework's way to the request's session. */
  session(): unknown
}

/**
 * Decides whether a handler runs.
 *
 * @returns Null if it runs; where to send the client otherwise.
 * @throws {SessionError} The request is refused, with a fitting `statusCode`.
 */
export type RequestGuard = (request: GuardedRequest) => Promise<string | null>

/** @throws {ConfigurationError} No adapter has run before. */
export function sessionOf(request: GuardedRequest, guard: string): Session<object> {
  const session = request.session()
  if (isSession(session)) return session
  throw new ConfigurationError(
    `${guard} found no session on this request: put the middleware of pg-sessions before it.`,
  )
}

/** A guard's view of a request of the Fetch standard. */
export function fetchRequest(request: Request, session: () => unknown): GuardedRequest {
  const { method, url, headers } = request
  return { method, url, header: (name) => headers.get(name) ?? undefined, session }
}

/** The redirect of a guard. */
export function redirectResponse(location: string): Response {
  return new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store' } })
}

/** Whether a guard refused the request, rather than failed. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CrossSiteError || error instanceof ReauthenticationRequiredError
}
