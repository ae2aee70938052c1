import { ConfigurationError } from '../../errors.ts'
import type { Duration } from '../../options/duration.ts'
import { duration, type OptionTable, option, refuse } from '../../options/option.ts'
import { readOptions } from '../../options/read-options.ts'
import type { DefaultData } from '../../session/session.ts'
import { checkTimeouts } from '../../session/session-policy.ts'
import { assertSessions } from '../assert-sessions.ts'
import type { SessionOpener } from '../exchange.ts'
import { BearerTransport } from './bearer-transport.ts'

/** Options of `bearerSessions`. */
export interface BearerOptions {
  /** How long a session lives without being used. Defaults to the setting of the sessions. */
  readonly idleTimeout?: Duration
  /** How long a session lives at most, counted from sign-in or creation; `'none'` for no limit. Defaults to the setting. */
  readonly absoluteTimeout?: Duration | 'none'
  /** The response header that carries a new token. Defaults to `'Session-Token'`. */
  readonly header?: string
}

interface Options {
  readonly idleTimeout: number | undefined
  readonly absoluteTimeout: number | undefined
  readonly header: string
}

const HEADER = "the name of a header, such as 'Session-Token'"

export const bearerOptions: OptionTable<Options> = {
  idleTimeout: duration(undefined),
  absoluteTimeout: duration(undefined, { none: Number.POSITIVE_INFINITY }),
  header: option(HEADER, 'Session-Token', (value, name) =>
    typeof value === 'string' && /^[!#$%&'*+.^_`|~\w-]+$/.test(value) && !RESERVED.test(value)
      ? value
      : refuse(name, HEADER, value),
  ),
}

/** Fields that mean something else in a response. */
const RESERVED = /^(?:set-cookie|vary|cache-control|www-authenticate|content-.*|location|etag)$/i

/**
 * The same sessions for clients without cookies, such as mobile apps and command-line programs: give it to an adapter
 * in place of the sessions.
 *
 * A request shows its token in `Authorization: Bearer`. A response carries a new token once, in a header of its own
 * with `Cache-Control: no-store`, and never sets a cookie. Cookies are not read, so no page of another site can act
 * for a user. A request with a cookie and a token of these sessions is refused (400). Tables, lists and ends are
 * those of the sessions.
 *
 * @throws {ConfigurationError} An option is unknown or wrong, or `sessions` was not created by `createSessions()`.
 * @see RFC 6750
 * @example
 * ```ts
 * import { bearerSessions } from 'pg-sessions'
 *
 * app.use('/api', expressSessions(bearerSessions(sessions, { idleTimeout: '30d', absoluteTimeout: '180d' })))
 * ```
 */
export function bearerSessions<Data extends object = DefaultData>(
  sessions: SessionOpener<Data>,
  options: BearerOptions = {},
): SessionOpener<Data> {
  assertSessions(sessions, 'bearerSessions')
  const { idleTimeout, absoluteTimeout, header } = readOptions(
    'bearerSessions',
    bearerOptions,
    options,
  )
  if (idleTimeout !== undefined && absoluteTimeout !== undefined) {
    checkTimeouts(idleTimeout, absoluteTimeout)
  }
  const bearer = new BearerTransport(header, {
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(absoluteTimeout === undefined ? {} : { absoluteTimeout }),
  })
  return {
    open(cookieHeader, link = {}) {
      if (link.authorization === undefined) {
        throw new ConfigurationError(
          'This adapter does not pass on the header Authorization, which bearerSessions needs. In Next.js, write withSession(bearerSessions(sessions), handler) of pg-sessions/fetch in a Route Handler.',
        )
      }
      return sessions.open(cookieHeader, { ...link, bearer })
    },
  }
}
