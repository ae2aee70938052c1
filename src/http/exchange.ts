import { readCookie } from '../cookie/cookie-header.ts'
import type { ResolvedCookie } from '../cookie/cookie-settings.ts'
import { clearCookieHeader, setCookieHeader } from '../cookie/set-cookie.ts'
import type { CookieUpdate } from '../session/cookie-update.ts'
import type { ResponseLink, ResponsePhase } from '../session/response-link.ts'
import { type DefaultData, Session } from '../session/session.ts'
import type { SessionContext } from '../session/session-context.ts'
import { SessionState } from '../session/session-state.ts'
import type { ShownToken } from '../session/shown-tokens.ts'
import { type BearerTransport, challenge } from './bearer/bearer-transport.ts'
import { refuseOutsideDevelopment } from './development-cookie.ts'
import { warnOfPlainHttp } from './plain-http-warning.ts'
import type { ResponseHeaders } from './response-headers.ts'

export type { DefaultData, ResponseLink, ResponsePhase, Session }

/** What adapters need of `createSessions`: it opens an exchange for each request. */
export interface SessionOpener<Data extends object = DefaultData> {
  /**
   * Begins the life of one request's session. Reads nothing and sends no query until the session is used.
   *
   * @param cookieHeader - The request's `Cookie` field; several of them joined by `; `.
   */
  open(cookieHeader: string | null | undefined, link?: ExchangeLink): Exchange<Data>
}

/** The link to a response, and how the session travels if not in a cookie. */
export interface ExchangeLink extends ResponseLink {
  /** @internal Comes from `bearerSessions`. */
  readonly bearer?: BearerTransport
}

/** More tokens than cookies of other domains and paths explain are refused, so that a request stays cheap. */
const MOST_TOKENS = 4

/** What an unused session says. */
const NOTHING: ResponseHeaders = Object.freeze({
  setCookies: Object.freeze([]),
  noStore: false,
  varyCookie: false,
})

/**
 * The one life cycle of a session within a request, which every adapter goes through:
 * the cookie comes in, the handler uses `session`, `commit()` saves and gives what the head says.
 *
 * @example
 * ```ts
 * const exchange = sessions.open(request.headers.get('cookie'))
 * exchange.session.set('seen', true)
 * const { setCookies } = await exchange.commit()
 * ```
 */
export class Exchange<Data extends object = DefaultData> {
  /** The request's session. The cookie is read when a handler first asks or tells it something. */
  readonly session: Session<Data>
  readonly #context: SessionContext
  readonly #cookie: ResolvedCookie
  readonly #cookieHeader: string | null | undefined
  readonly #link: ExchangeLink
  /** What a request of a bearer client got wrong, as far as it is known. */
  #problem: 'invalid_request' | 'invalid_token' | null = null
  /** Why the request has no session at all. */
  #refusal: unknown = null
  #state: SessionState | null = null

  /** @internal Exchanges come from `sessions.open`. */
  constructor(
    context: SessionContext,
    cookie: ResolvedCookie,
    cookieHeader: string | null | undefined,
    link: ExchangeLink = {},
  ) {
    this.#context = link.bearer?.contextOf(context) ?? context
    this.#cookie = cookie
    this.#cookieHeader = cookieHeader
    this.#link = link
    this.session = new Session<Data>(() => this.#use())
  }

  /** Whether there is something to save. */
  get hasChanges(): boolean {
    return this.#state?.hasChanges ?? false
  }

  /** Whether `commit` would have nothing to wait for. */
  get isSettled(): boolean {
    return this.#state?.isSettled ?? true
  }

  /** Lets the next change call `onChange` of the link again: the response does not wait for it yet. */
  announceAgain(): void {
    this.#state?.announceAgain()
  }

  /**
   * Saves what has changed, and tells what the head of the response has to say. Called before the head
   * leaves; a session that was not used costs nothing.
   *
   * An access of a session that did not change is noted when it is due, and that is not waited for.
   *
   * @throws {SessionGoneError} The session ended meanwhile: answer with an error, send no cookie.
   * @throws {StoreUnavailableError} The store did not answer: answer with an error, send no cookie.
   * @throws {LimitExceededError} The session would be larger than the settings allow.
   */
  async commit(): Promise<ResponseHeaders> {
    const state = this.#state
    if (state === null) return this.head
    if (!state.isSettled) await state.commit()
    state.touchIfDue()
    return this.head
  }

  /**
   * What the head has to say of what has been saved so far: also after a save that failed, since an
   * earlier one may have replaced the token.
   */
  get head(): ResponseHeaders {
    const { bearer } = this.#link
    if (bearer !== undefined) return this.#bearerHead(bearer)
    if (this.#state === null) return NOTHING
    const setCookies = this.#setCookies(this.#state.cookieUpdate)
    return { setCookies, noStore: setCookies.length > 0, varyCookie: true }
  }

  /**
   * Saves what changed after the head had left, and notes the access. The response has left, so a failure
   * is told by the event `lateSaveFailed`, and what could not be saved is dropped.
   */
  async commitLate(): Promise<void> {
    try {
      await this.commit()
    } catch (error) {
      this.discard()
      this.#context.events.emit('lateSaveFailed', { error })
    }
  }

  /** Drops what has not been saved: the response will not say that it was. */
  discard(): void {
    this.#state?.discard()
  }

  #use(): SessionState {
    if (this.#refusal !== null) throw this.#refusal
    if (this.#state === null) {
      const { bearer } = this.#link
      const isOnlyLocal = this.#cookie.development !== false && bearer === undefined
      const target = isOnlyLocal ? this.#link.target?.() : undefined
      if (target !== undefined) refuseOutsideDevelopment(this.#cookie, target)
      const tokens = bearer === undefined ? this.#readTokens() : this.#readBearer(bearer)
      this.#state = new SessionState(this.#context, tokens, this.#link)
      this.#link.onUse?.()
    }
    return this.#state
  }

  /**
   * The tokens that the client shows. Values that are not a token cost nothing and are passed over: another
   * application may use the name, or may have set it for another path.
   */
  #readTokens(): readonly ShownToken[] {
    const { name, duplicates } = this.#cookie
    const values = readCookie(this.#cookieHeader, name)
    if (values.length === 0) return []
    const tokens: ShownToken[] = []
    for (const token of duplicates === 'first' ? values.slice(0, 1) : values) {
      const proof = this.#context.tokens.read(token)
      if (proof !== null) tokens.push({ token, proof })
    }
    if (tokens.length > 0 && tokens.length <= MOST_TOKENS) return tokens
    const reason = tokens.length === 0 ? 'malformed' : 'ambiguous'
    this.#context.events.emit('tokenRefused', { reason })
    return []
  }

  #readBearer(bearer: BearerTransport): readonly ShownToken[] {
    try {
      const { tokens, isShown } = bearer.read(this.#context, {
        authorization: this.#link.authorization?.(),
        cookieHeader: this.#cookieHeader,
        cookieName: this.#cookie.name,
      })
      this.#problem = isShown ? 'invalid_token' : null
      return tokens
    } catch (error) {
      this.#refusal = error
      this.#problem = 'invalid_request'
      this.#link.onUse?.()
      throw error
    }
  }

  /** What the head says to a client without cookies: a new token, or that it needs one. */
  #bearerHead({ header }: BearerTransport): ResponseHeaders {
    const state = this.#state
    if (state === null && this.#problem === null) return NOTHING
    const update = state?.cookieUpdate
    const token = update?.kind === 'issued' ? update.token : null
    const isRefused = state === null || state.isAnonymous
    return {
      setCookies: [],
      noStore: token !== null,
      varyCookie: true,
      varyAuthorization: true,
      ...(token === null ? {} : { fields: { [header]: token } }),
      ...(token === null && isRefused ? { challenge: challenge(this.#problem) } : {}),
    }
  }

  #setCookies(update: CookieUpdate): readonly string[] {
    if (update.kind === 'none') return []
    if (update.kind === 'ended') return [clearCookieHeader(this.#cookie)]
    const target = this.#link.target?.()
    if (target) warnOfPlainHttp(this.#cookie, target, this.#context.policy.log)
    const outlivesBrowser = update.isRemembered || this.#cookie.persistent
    const maxAge = outlivesBrowser ? Math.max(1, Math.floor(update.remaining / 1000)) : null
    return [setCookieHeader(this.#cookie, update.token, maxAge)]
  }
}
