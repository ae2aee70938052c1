/**
 * Every error that this package throws on purpose. Each has a stable `code`.
 *
 * Messages say what happened and what to do. They hold no token, hash, value, SQL or connection string, so
 * you may log them.
 */

/** The codes of all errors of this package. A code never changes its meaning. */
export type SessionErrorCode =
  | 'ERR_CONFIGURATION'
  | 'ERR_CROSS_SITE'
  | 'ERR_EMBEDDED_POSTGRES'
  | 'ERR_INVALID_VALUE'
  | 'ERR_LIMIT_EXCEEDED'
  | 'ERR_NOT_FRESH'
  | 'ERR_NOT_LOADED'
  | 'ERR_RESPONSE_STARTED'
  | 'ERR_SESSION_GONE'
  | 'ERR_SESSIONS_CLOSED'
  | 'ERR_SCHEMA_MISSING'
  | 'ERR_SCHEMA_OUTDATED'
  | 'ERR_SCHEMA_NEWER'
  | 'ERR_STORE'
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_UNDECODABLE'
  | 'ERR_UNSUPPORTED'

/** On every error: the names of its classes, so that another copy of this package recognizes it. */
const BRAND: unique symbol = Symbol.for('pg-sessions.error') as never

/**
 * The base of every error of this package.
 *
 * `instanceof` also works for errors of another copy of this package: `import` and `require` each
 * load one.
 */
export abstract class SessionError extends Error {
  /** @internal The class's name; `constructor.name` changes when code is minified. */
  static readonly kind: string = 'SessionError'

  static override readonly [Symbol.hasInstance]: (error: unknown) => boolean = isInstance

  /** The kind of error. Compare this, not the message. */
  readonly code: SessionErrorCode

  constructor(code: SessionErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    Object.defineProperty(this, BRAND, { value: kindsOfClass(new.target) })
  }

  override get name(): string {
    return this.constructor.name
  }

  /** The HTTP status that Express, Koa, Fastify and h3 respond with if this error reaches them. */
  get statusCode(): number {
    return 500
  }

  /** The same under its other name in `http-errors`. NestJS uses the status only if both are present. */
  get status(): number {
    return this.statusCode
  }

  /** Koa assigns the value that it has read. */
  set status(status: number) {
    Object.defineProperty(this, 'status', { value: status, writable: true, configurable: true })
  }

  /** Tells frameworks to send the status only: the message is for the log. */
  get expose(): boolean {
    return false
  }
}

/**
 * Returns whether an error comes from this package, or from another copy of it.
 *
 * @example
 * ```ts
 * try {
 *   await session.save()
 * } catch (error) {
 *   if (!isSessionError(error) || error.code !== 'ERR_SESSION_GONE') throw error
 *   res.redirect('/login')
 * }
 * ```
 */
export function isSessionError(error: unknown): error is SessionError {
  return typeof error === 'object' && error !== null && BRAND in error
}

function isInstance(this: unknown, error: unknown): boolean {
  const isOurs = typeof this === 'function' && Object.hasOwn(this, 'kind')
  // A subclass that an application defines has no kind.
  if (!isOurs) return Function.prototype[Symbol.hasInstance].call(this, error)
  return isSessionError(error) && kindsOf(error).includes(Reflect.get(this, 'kind'))
}

function kindsOf(error: SessionError): readonly unknown[] {
  const kinds: unknown = Reflect.get(error, BRAND)
  return Array.isArray(kinds) ? kinds : []
}

function kindsOfClass(from: object): readonly unknown[] {
  const kinds: unknown[] = []
  for (let each: object | null = from; each !== null; each = Object.getPrototypeOf(each)) {
    if (Object.hasOwn(each, 'kind')) kinds.push(Reflect.get(each, 'kind'))
  }
  return kinds
}

/** An option or argument is wrong, or two options contradict each other. */
export class ConfigurationError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'ConfigurationError'

  constructor(message: string) {
    super('ERR_CONFIGURATION', message)
  }
}

/** A key or value cannot be stored and returned unchanged. Nothing was written. */
export class InvalidValueError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'InvalidValueError'

  /** The place of the fault in the value: `basket.items[3].price`. */
  readonly path: string

  constructor(path: string, problem: string) {
    super('ERR_INVALID_VALUE', `${path} ${problem}`)
    this.path = path
  }
}

/** A value or the whole session is larger than `limits` allow. The stored data is unchanged. */
export class LimitExceededError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'LimitExceededError'

  constructor(message: string) {
    super('ERR_LIMIT_EXCEEDED', message)
  }

  override get statusCode(): number {
    return 413
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

/** The user is not signed in, or signed in too long ago for this route. The handler did not run. */
export class NotFreshError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'NotFreshError'

  /** Whether a user is signed in, and only too long ago. */
  readonly isSignedIn: boolean

  constructor(isSignedIn: boolean) {
    super(
      'ERR_NOT_FRESH',
      isSignedIn
        ? 'The user signed in too long ago for this route. Ask for the password again, and call session.signIn.'
        : 'No user is signed in, and this route needs one who signed in lately.',
    )
    this.isSignedIn = isSignedIn
  }

  override get statusCode(): number {
    return this.isSignedIn ? 403 : 401
  }
}

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
 * A change needs a new cookie, but the response can no longer carry one: its head has left, or Next is
 * rendering components. Nothing was stored.
 */
export class ResponseStartedError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'ResponseStartedError'

  constructor(action: string) {
    super(
      'ERR_RESPONSE_STARTED',
      `${action} needs a new cookie, and this response can carry none any more. Do it before the first byte of the response is sent; in Next in a Server Action or a Route Handler, not while components render.`,
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

/** The tables are missing, or have a version that this release cannot use. */
export class SchemaError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'SchemaError'

  constructor(
    code: 'ERR_SCHEMA_MISSING' | 'ERR_SCHEMA_OUTDATED' | 'ERR_SCHEMA_NEWER',
    message: string,
  ) {
    super(code, message)
  }
}

/** Whether a failed call may have written: `none` if surely nothing was written, else `unknown`. */
export type Outcome = 'none' | 'unknown'

/** Facts about a failed statement that are safe to log. */
export interface StoreErrorFacts {
  /** The statement's name, never its text or values. */
  readonly statement?: string
  /** SQLSTATE as PostgreSQL gave it. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly sqlState?: string
  /** A scrubbed copy of the driver's error. */
  readonly cause?: unknown
}

/** The store answered with an error that a retry doesn't cure. */
export class StoreError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'StoreError'

  readonly statement: string | undefined
  readonly sqlState: string | undefined

  constructor(message: string, facts: StoreErrorFacts = {}) {
    super('ERR_STORE', message, facts)
    this.statement = facts.statement
    this.sqlState = facts.sqlState
  }
}

/** The store could not be reached, or did not answer within the deadline. Retry later. */
export class StoreUnavailableError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'StoreUnavailableError'

  readonly statement: string | undefined
  readonly sqlState: string | undefined
  /** `unknown` if a write may have been applied although no answer arrived. */
  readonly outcome: Outcome

  constructor(message: string, outcome: Outcome, facts: StoreErrorFacts = {}) {
    super('ERR_STORE_UNAVAILABLE', message, facts)
    this.outcome = outcome
    this.statement = facts.statement
    this.sqlState = facts.sqlState
  }

  override get statusCode(): number {
    return 503
  }
}

/** Stored bytes don't decode. Codecs throw it; a session treats the entry as absent and emits an event. */
export class UndecodableError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'UndecodableError'

  constructor(problem: string) {
    super('ERR_UNDECODABLE', problem)
  }
}

/** The store's tables cannot hold this. Nothing was written. */
export class UnsupportedError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'UnsupportedError'

  constructor(message: string) {
    super('ERR_UNSUPPORTED', message)
  }
}

/** The embedded PostgreSQL server of development and tests could not be found, prepared or started. */
export class EmbeddedPostgresError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'EmbeddedPostgresError'

  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_EMBEDDED_POSTGRES', message, options)
  }
}
