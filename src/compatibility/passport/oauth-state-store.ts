import { ConfigurationError } from '../../errors.ts'
import { type Duration, parseDuration } from '../../options/duration.ts'
import type { Session } from '../../session/session.ts'
import { randomToken } from '../../session/token.ts'
import { nativeSession } from './native-session.ts'
import type { PassportRequest } from './passport-like.ts'

/** Options of an {@link OAuthStateStore}. */
export interface OAuthStateOptions {
  /** How long a user may take at the provider. Defaults to `'10m'`. */
  readonly timeout?: Duration
  /** How to find a request's session. Defaults to `request.session`. */
  readonly session?: (request: never) => Session
}

/** What passport-oauth2 says of the provider. */
interface Provider {
  readonly authorizationURL?: string
}

type Stored = (error: unknown, handle?: string) => void
type Verified = (error: unknown, ok?: string | boolean, state?: unknown) => void

/** One login that has left for its provider. */
interface Pending {
  readonly provider: string
  readonly verifier: string | null
  readonly state: unknown
  readonly until: number
}

const PREFIX = 'oauth-state:'
const MOST = 8
const UNKNOWN = { message: 'Unable to verify authorization request state.' }

/**
 * Keeps the state and PKCE verifier of OAuth logins in native sessions, for strategies built on
 * passport-oauth2.
 *
 * Each login has a state of its own, so that two that run at once, in two tabs, both succeed. A state
 * works once, for the provider it was made for, in the browser it was made for, until the timeout. A
 * session holds at most eight.
 *
 * @example
 * ```js
 * passport.use(new OAuth2Strategy({ ...provider, pkce: true, state: true, store: new OAuthStateStore() }, verify))
 * ```
 */
export class OAuthStateStore {
  readonly #timeout: number
  readonly #session: (request: PassportRequest) => Session

  /** @throws {ConfigurationError} If the timeout is not a duration. */
  constructor(options: OAuthStateOptions = {}) {
    for (const name of Object.keys(options)) {
      if (name === 'timeout' || name === 'session') continue
      throw new ConfigurationError(
        `OAuthStateStore has no option '${name}'. It has session and timeout.`,
      )
    }
    this.#timeout = parseDuration('timeout', options.timeout ?? '10m')
    this.#session = nativeSession(options.session)
  }

  // passport-oauth2 counts the parameters: five here and four below.

  /** Keeps the state of a login that leaves for its provider. */
  store(
    request: PassportRequest,
    verifier: string | undefined,
    state: unknown,
    provider: Provider,
    done: Stored,
  ): void {
    this.#store(request, verifier, state, provider).then(
      (handle) => process.nextTick(done, null, handle),
      (error: unknown) => process.nextTick(done, error),
    )
  }

  /** Takes the state of a login that comes back. Of several requests with one state, one gets it. */
  verify(request: PassportRequest, handle: unknown, provider: Provider, done: Verified): void {
    this.#verify(request, handle, provider).then(
      (pending) => {
        if (pending === null) process.nextTick(done, null, false, UNKNOWN)
        else process.nextTick(done, null, pending.verifier ?? true, pending.state ?? undefined)
      },
      (error: unknown) => process.nextTick(done, error),
    )
  }

  async #store(
    request: PassportRequest,
    verifier: string | undefined,
    state: unknown,
    provider: Provider,
  ): Promise<string> {
    const session = this.#session(request)
    await session.load()
    const pending = (Object.entries(session.data) as [string, Pending][])
      .filter(([key]) => key.startsWith(PREFIX))
      .sort(([, a], [, b]) => b.until - a.until)
    pending.forEach(([key, { until }], index) => {
      if (index >= MOST - 1 || until < Date.now()) session.delete(key)
    })
    const handle = randomToken(24)
    session.set(PREFIX + handle, {
      provider: provider.authorizationURL ?? '',
      verifier: verifier ?? null,
      state: state ?? null,
      until: Date.now() + this.#timeout,
    } satisfies Pending)
    return handle
  }

  async #verify(
    request: PassportRequest,
    handle: unknown,
    provider: Provider,
  ): Promise<Pending | null> {
    if (typeof handle !== 'string' || !/^[\w-]{32}$/.test(handle)) return null
    const pending = (await this.#session(request).take(PREFIX + handle)) as Pending | undefined
    if (pending === undefined || pending.until < Date.now()) return null
    return pending.provider === (provider.authorizationURL ?? '') ? pending : null
  }
}
