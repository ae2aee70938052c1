import { SessionError } from './session-error.ts'

/** A property was read before `await session.load()`. */
export class NotLoadedError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'NotLoadedError'

  constructor(what: string) {
    super(
      'ERR_NOT_LOADED',
      `${what} is known once the session is loaded: await session.load() first.`,
    )
  }
}

/**
 * The session ended, or another user signed in to it, during this request. Nothing was written.
 */
export class SessionGoneError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'SessionGoneError'

  /** The public id of the ended session. */
  readonly sessionId: string

  /** @param message - In the words of another session middleware, where that is what applications expect. */
  constructor(
    sessionId: string,
    message = 'The session ended or changed hands while this request held it, so nothing was saved. Ask the user to sign in again.',
  ) {
    super('ERR_SESSION_GONE', message)
    this.sessionId = sessionId
  }

  override get statusCode(): number {
    return 409
  }
}

/** `close()` was called: these sessions accept no further calls. */
export class SessionsClosedError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'SessionsClosedError'

  constructor() {
    super(
      'ERR_SESSIONS_CLOSED',
      'These sessions have been closed. Create new ones with createSessions().',
    )
  }

  override get statusCode(): number {
    return 503
  }
}
