import { SessionError } from './session-error.ts'

/** A request came with a cookie and a bearer token of the same sessions. Nothing was done. */
export class AmbiguousCredentialsError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'AmbiguousCredentialsError'

  constructor() {
    super(
      'ERR_AMBIGUOUS_CREDENTIALS',
      'The request came with both a session cookie and a bearer token, and they may belong to different users. Send only one of them.',
    )
  }

  override get statusCode(): number {
    return 400
  }
}

/** A request of another site's page was refused. Nothing was done. */
export class CrossSiteError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'CrossSiteError'

  constructor() {
    super(
      'ERR_CROSS_SITE',
      "A page of another site sent this request, so nothing was done. If that site is yours, add its origin: refuseCrossSite({ allow: ['https://…'] }).",
    )
  }

  override get statusCode(): number {
    return 403
  }
}

/**
 * The user has not proved lately who they are: the base of `NotFreshError` and `NotElevatedError`, for one handler of both. The
 * handler of the route did not run.
 */
export class ReauthenticationRequiredError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'ReauthenticationRequiredError'

  /** Whether a user is signed in. */
  readonly isSignedIn: boolean

  constructor(code: 'ERR_NOT_FRESH' | 'ERR_NOT_ELEVATED', message: string, isSignedIn: boolean) {
    super(code, message)
    this.isSignedIn = isSignedIn
  }

  override get statusCode(): number {
    return this.isSignedIn ? 403 : 401
  }
}

/** The user is not signed in, or signed in too long ago for this route. The handler did not run. */
export class NotFreshError extends ReauthenticationRequiredError {
  /** @internal */
  static override readonly kind: string = 'NotFreshError'

  constructor(isSignedIn: boolean) {
    const message = isSignedIn
      ? 'The user signed in too long ago for this route. Ask for the password again, and call session.signIn.'
      : 'No user is signed in, and this route needs a recent sign-in.'
    super('ERR_NOT_FRESH', message, isSignedIn)
  }
}

/** The user has proved no second factor, or too long ago for this route. The handler did not run. */
export class NotElevatedError extends ReauthenticationRequiredError {
  /** @internal */
  static override readonly kind: string = 'NotElevatedError'

  constructor(isSignedIn: boolean) {
    const message = isSignedIn
      ? 'This route needs a recent second factor. Ask the user for it, then call session.elevate.'
      : 'No user is signed in, and this route needs a recent second factor.'
    super('ERR_NOT_ELEVATED', message, isSignedIn)
  }
}

/** The user has as many live sessions as `maxPerUser` allows, and it refuses more. No user was signed in. */
export class TooManySessionsError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'TooManySessionsError'

  /** How many live sessions a user may have. */
  readonly count: number

  constructor(count: number) {
    super(
      'ERR_TOO_MANY_SESSIONS',
      `The user has ${count} live session${count === 1 ? '' : 's'} already, and maxPerUser refuses more. Show them with sessions.listByUser, let the user end one with destroyById, then call signIn again.`,
    )
    this.count = count
  }

  override get statusCode(): number {
    return 409
  }
}

/**
 * A change needs a new cookie, but the response can no longer carry one: its head has left, or Next is
 * rendering components. Nothing was stored.
 */
export class ResponseStartedError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'ResponseStartedError'

  constructor(action: string) {
    super(
      'ERR_RESPONSE_STARTED',
      `${action} needs a new cookie, and this response can no longer set one. Do it, and await it, before the first byte of the response is sent; in Next, do it in a Server Action or a Route Handler, not while components render.`,
    )
  }
}
