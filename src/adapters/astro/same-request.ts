import type { AstroContext } from './astro-context.ts'

/** What tells one request from another. */
export interface RequestMarks {
  readonly request: Request
  readonly state: unknown
}

/** Where Astro keeps what it knows of a request; rewrites replace the request, and leave this. */
const FETCH_STATE = Symbol.for('astro.fetchState')

export function requestOf(context: AstroContext): RequestMarks {
  return { request: context.request, state: Reflect.get(context, FETCH_STATE) }
}

/**
 * Whether a context with the locals of a request that was seen before belongs to that request.
 *
 * Astro hands the locals of a request on to its rewrites and to its error page, and so they carry the
 * session. But an application mounted into another server gets them from its host, which may create them once for all
 * requests: then the session of the first visitor would be everybody's.
 */
export function isSameRequest(
  known: RequestMarks & { readonly isRunning: boolean },
  context: AstroContext,
): boolean {
  const { request, state } = requestOf(context)
  if (request === known.request) return true
  if (state === known.state && (state !== undefined || known.isRunning)) return true
  // For the page of an error Astro may make a new request of the old one.
  const isErrorPage = /\/(?:404|500)\/?$/.test(context.routePattern)
  return (
    isErrorPage &&
    request.url === known.request.url &&
    cookieOf(request) === cookieOf(known.request)
  )
}

function cookieOf({ headers }: Request): string | null {
  return headers.get('cookie')
}
