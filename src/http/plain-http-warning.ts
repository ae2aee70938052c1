import type { ResolvedCookie } from '../cookie/cookie-settings.ts'
import type { Logger } from '../session/logger.ts'
import type { RequestTarget } from '../session/response-link.ts'

/** Browsers take a Secure cookie over plain http from these alone. */
const LOCAL = /^(?:localhost|(?:[^:]+\.)?localhost|127(?:\.\d+){3}|\[::1\])\.?(?::\d+)?$/i

/** The hosts that were warned of, so that each is named once in a process. A client may name any host. */
const warned = new Set<string>()
const MOST_HOSTS = 20

/** Warns of a Secure cookie that a browser drops, since the page came over plain http from another host. */
export function warnOfPlainHttp(
  { name, secure }: ResolvedCookie,
  { host, isPlain }: RequestTarget,
  log: Logger,
): void {
  if (!secure || !isPlain || host === undefined || LOCAL.test(host)) return
  if (warned.has(host) || warned.size >= MOST_HOSTS) return
  warned.add(host)
  log.warn(
    { host, cookie: name },
    `browsers drop the Secure cookie ${name} of http://${host}, so no visitor stays signed in there. Serve it over https; behind a proxy that does, let the proxy send X-Forwarded-Proto. For plain http on your own machine, open http://localhost`,
  )
}
