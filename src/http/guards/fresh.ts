import {
  ConfigurationError,
  NotElevatedError,
  NotFreshError,
  type SessionError,
} from '../../errors.ts'
import { type Duration, parseDuration } from '../../options/duration.ts'
import { type OptionTable, option, refuse } from '../../options/option.ts'
import { readOptions } from '../../options/read-options.ts'
import type { Session } from '../../session/session.ts'
import { type GuardedRequest, type RequestGuard, sessionOf } from './request-guard.ts'

/** Options of `requireFresh`. */
export interface FreshOptions {
  /**
   * Where to send a browser that asks for a page: a path, or a function that is given the path that was
   * asked for. Without it, and for `fetch` and other clients, the answer is an error: 401 if no user is signed
   * in, 403 if the sign-in is too old.
   */
  readonly redirectTo?: string | ((path: string) => string) | undefined
}

const TAKES = "a path such as '/login', or a function that gives one"

const TABLE: OptionTable<FreshOptions> = {
  redirectTo: option<FreshOptions['redirectTo'], undefined>(TAKES, undefined, (value, name) => {
    if (typeof value === 'string' || typeof value === 'function') {
      return value as FreshOptions['redirectTo']
    }
    return refuse(name, TAKES, value)
  }),
}

/**
 * Lets a request through whose user signed in at most this long ago, by the database's clock.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 */
export function freshGuard(within: Duration, options: FreshOptions = {}): RequestGuard {
  return lateGuard('requireFresh', within, options, {
    isMet: (session) => session.authenticatedWithin(within),
    refusal: (isSignedIn) => new NotFreshError(isSignedIn),
  })
}

/**
 * Lets a request through whose user proved a second factor at most this long ago, by the database's clock.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 */
export function elevatedGuard(within: Duration, options: FreshOptions = {}): RequestGuard {
  return lateGuard('requireElevated', within, options, {
    isMet: (session) => session.elevatedWithin(within),
    refusal: (isSignedIn) => new NotElevatedError(isSignedIn),
  })
}

/** What a route asks of its user, and the error of one who does not meet it. */
interface Demand {
  isMet(session: Session<object>): Promise<boolean>
  refusal(isSignedIn: boolean): SessionError
}

function lateGuard(
  name: string,
  within: Duration,
  options: FreshOptions,
  { isMet, refusal }: Demand,
): RequestGuard {
  parseDuration(`The duration of ${name}`, within)
  const { redirectTo } = readOptions(name, TABLE, options)
  return async (request) => {
    const session = sessionOf(request, name)
    if (await isMet(session)) return null
    if (redirectTo !== undefined && asksForPage(request)) return locationOf(redirectTo, request)
    await session.load()
    throw refusal(session.userId !== null)
  }
}

/** Whether a browser is about to show the answer. Browsers without the first header name `text/html`. */
function asksForPage(request: GuardedRequest): boolean {
  const mode = request.header('sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate'
  return /\btext\/html\b/.test(request.header('accept') ?? '')
}

function locationOf(redirectTo: string | ((path: string) => string), request: GuardedRequest) {
  const location = typeof redirectTo === 'string' ? redirectTo : redirectTo(pathOf(request.url))
  if (typeof location === 'string' && location !== '') return asHeader(location)
  throw new ConfigurationError("redirectTo gave no path. Return one, such as '/login'.")
}

/** With one slash in front: a path that begins with two leads to another host. */
function pathOf(url: string): string {
  const path = url.replace(/^[a-z][a-z+.-]*:\/\/[^/?#]*/i, '')
  return `/${path.replace(/^[/\\]+/, '')}`
}

/** Percent-encodes what no header holds, such as a path with letters of other alphabets that was decoded. */
function asHeader(location: string): string {
  return location.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}
