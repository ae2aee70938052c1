import { readCookie } from '../../cookie/cookie-header.ts'
import { AmbiguousCredentialsError } from '../../errors.ts'
import type { SessionContext } from '../../session/session-context.ts'
import type { ShownToken } from '../../session/shown-tokens.ts'

/** How a session travels in `Authorization` and a response header instead of a cookie. */
export class BearerTransport {
  /** The response header that carries a new token. */
  readonly header: string
  readonly #lifetimes: BearerLifetimes
  readonly #contexts = new WeakMap<SessionContext, SessionContext>()

  constructor(header: string, lifetimes: BearerLifetimes) {
    this.header = header
    this.#lifetimes = lifetimes
  }

  /** The context of sessions that are opened this way: with lifetimes of their own. */
  contextOf(context: SessionContext): SessionContext {
    const known = this.#contexts.get(context)
    if (known !== undefined) return known
    const own = { ...context, policy: { ...context.policy, ...this.#lifetimes } }
    this.#contexts.set(context, own)
    return own
  }

  /**
   * The token that a client shows in `Authorization: Bearer`. Any other scheme is not for us.
   *
   * @throws {AmbiguousCredentialsError} A cookie of ours came with it: which of the two is meant cannot be known.
   * @see RFC 6750, section 2.1.
   */
  read(
    { tokens, events }: SessionContext,
    request: BearerRequest,
  ): { readonly tokens: readonly ShownToken[]; readonly isShown: boolean } {
    const found = /^\s*bearer(?:\s(.*))?$/is.exec(request.authorization ?? '')
    if (found === null) return { tokens: [], isShown: false }
    const token = found[1]?.trim() ?? ''
    const proof = tokens.read(token)
    const cookies = readCookie(request.cookieHeader, request.cookieName)
    if (cookies.some((cookie) => tokens.read(cookie) !== null)) {
      events.emit('tokenRefused', { reason: 'ambiguous' })
      throw new AmbiguousCredentialsError()
    }
    if (proof !== null) return { tokens: [{ token, proof }], isShown: true }
    events.emit('tokenRefused', { reason: 'malformed' })
    return { tokens: [], isShown: true }
  }
}

/** In milliseconds; absent where the settings of the sessions hold. */
export interface BearerLifetimes {
  readonly idleTimeout?: number
  readonly absoluteTimeout?: number
}

/** What a request says of its session. */
interface BearerRequest {
  readonly authorization: string | null | undefined
  readonly cookieHeader: string | null | undefined
  readonly cookieName: string
}

/**
 * What a response says to a client without a live session.
 *
 * @see RFC 6750, section 3. On responses other than 401 it says that a token may make a difference (RFC 9110, 11.6.1).
 */
export function challenge(problem: 'invalid_request' | 'invalid_token' | null): string {
  return problem === null ? 'Bearer' : `Bearer error="${problem}"`
}
