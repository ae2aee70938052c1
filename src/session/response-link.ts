/**
 * Where the response to a session's request stands:
 *
 * - `open`: its head has not left, so a cookie can still be set;
 * - `held`: its head waits for the save in progress, and looks sent to its handler;
 * - `sent`: its head has left, so no cookie can be set any more;
 * - `gone`: the client hung up before the head left, so it would never receive a cookie.
 */
export type ResponsePhase = 'open' | 'held' | 'sent' | 'gone'

/** Where a request came in, as far as its adapter can tell. */
export interface RequestTarget {
  readonly host: string | undefined
  /** Whether it came over plain http, and no proxy says anything about its client. */
  readonly isPlain: boolean
  /** Whether it came over https, or a proxy says that its client used https. */
  readonly isHttps?: boolean
}

/** Connects a session to the response of its request. An adapter implements what its framework has. */
export interface ResponseLink {
  /** Tells where the response stands. Without it the response stays open. */
  readonly phase?: () => ResponsePhase
  /**
   * Whether the request asks for a 304 (`If-None-Match`, `If-Modified-Since`). Frameworks and caches drop
   * `Set-Cookie` from a 304, so such a request renews no token.
   *
   * A method, since a getter in an object literal gives each request's link a shape of its own in V8, which made a page that
   * reads cost half as much again.
   */
  readonly isConditional?: () => boolean
  /** Tells the request's `Authorization` field. Without it there can be no bearer sessions. */
  readonly authorization?: () => string | null | undefined
  /** Tells which host the client asked, and how. Without it nothing is known of that. */
  readonly target?: () => RequestTarget
  /** Called when the session is used for the first time. */
  readonly onUse?: () => void
  /**
   * Called once, before the first change is made or when a token is due for renewal: the response now
   * depends on a save. Called again only after `discard` or `announceAgain`.
   */
  readonly onChange?: () => void
  /** Called when the access is due to be noted, once the response is on its way. */
  readonly onTouchDue?: () => void
  /** Called when a save has given the response's cookie something new to say, before the save resolves. */
  readonly onCookieUpdate?: () => void
}
