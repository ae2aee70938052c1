import type { ResolvedCookie } from '../cookie/cookie-settings.ts'
import { ConfigurationError } from '../errors.ts'
import type { RequestTarget } from '../session/response-link.ts'

/** Names that lead to this machine or its own network: no dot, or an ending that no public host has. */
const LOCAL_NAME = /^(?:[^.:]+|.+\.(?:localhost|local|test|internal|home\.arpa))\.?$/i

/** Loopback, private and link-local addresses: RFC 1122, 1918, 3927, 4193 and 4291. */
const LOCAL_ADDRESS =
  /^(?:127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)[\d.]+$|^\[(?:::1|f[cd][\da-f]{2}:.*|fe[89ab][\da-f]:.*)\]$/i

/**
 * Refuses the cookie of `development` where it has no place: on a public host, and over https, where a Secure
 * cookie arrives. A container whose `NODE_ENV` is not what the code expects then fails at its first request,
 * instead of serving its users a cookie that travels in plain text.
 *
 * @throws {ConfigurationError} If the cookie is one for development and the request is not.
 */
export function refuseOutsideDevelopment(
  { development }: ResolvedCookie,
  { host = '', isHttps = false }: RequestTarget,
): void {
  if (development === false) return
  const name = host.replace(/:\d*$/, '')
  if (isHttps) throw misplaced(`The request came over https, where a Secure cookie arrives`)
  if (name === '' || LOCAL_NAME.test(name) || LOCAL_ADDRESS.test(name)) return
  throw misplaced('The request came to a public host, where the cookie would travel in plain text')
}

/** The host is the client's word, and not quoted. */
function misplaced(problem: string): ConfigurationError {
  return new ConfigurationError(
    `cookie.development is for plain http on your own machine or network. ${problem}. Set it only where the environment says so, as in development: process.env.NODE_ENV === 'development'. For plain http on purpose, write secure: false.`,
  )
}
