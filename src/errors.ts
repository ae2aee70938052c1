/**
 * Every error this package throws on purpose, told apart by a stable `code`.
 *
 * Messages say what happened and what to do. They hold no token, hash, value, SQL or
 * connection string, so they may be logged and shown as they are.
 */

/** The codes of all errors of this package. A code never changes its meaning. */
export type SessionErrorCode =
  | 'ERR_CONFIGURATION'
  | 'ERR_EMBEDDED_POSTGRES'
  | 'ERR_INVALID_VALUE'
  | 'ERR_LIMIT_EXCEEDED'
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

/** On every error: the names of its classes here, so that another copy of this package knows them. */
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

  /** What kind of error this is; compare this rather than the message. */
  readonly code: SessionErrorCode

  constructor(code: SessionErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    Object.defineProperty(this, BRAND, { value: kindsOfClass(new.target) })
  }

  override get name(): string {
    return this.constructor.name
  }

  /** The HTTP status that Express, Koa, Fastify and h3 answer with when this error reaches them. */
  get statusCode(): number {
    return 500
  }

  /** The same, by its other name in `http-errors`. NestJS takes no status that lacks one of them. */
  get status(): number {
    return this.statusCode
  }

  /** Koa writes there what it has read there. */
  set status(status: number) {
    Object.defineProperty(this, 'status', { value: status, writable: true, configurable: true })
  }

  /** Has frameworks answer with the status alone: what went wrong is for the log. */
  get expose(): boolean {
    return false
  }
}

/**
 * Tells whether an error comes from this package, also across duplicate copies of it.
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
  // A subclass of an application's own has no kind of its own.
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

/** A setting is wrong, or two contradict each other. Thrown at construction, never at a request. */
export class ConfigurationError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'ConfigurationError'

  constructor(message: string) {
    super('ERR_CONFIGURATION', message)
  }
}

/** A key or value cannot be stored and given back as it was. Nothing was written. */
export class InvalidValueError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'InvalidValueError'

  /** Where in the value the fault lies: `basket.items[3].price`. */
  readonly path: string

  constructor(path: string, problem: string) {
    super('ERR_INVALID_VALUE', `${path} ${problem}`)
    this.path = path
  }
}

/** A value, or the session as a whole, is larger than the settings allow. The old data is intact. */
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

/** Something was read synchronously before `await session.load()`. */
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
 * The session needs a new cookie, but the response can carry none any more: its head has left, or Next
 * renders components. Nothing was stored.
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
 * The session ended, or passed to another user, while this request held it. Nothing was written.
 */
export class SessionGoneError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'SessionGoneError'

  /** The public id of the session that is gone. */
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

/** `close()` was called; no further call is taken. */
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

/** The tables are missing, or of a version that this release cannot work with. */
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

/** What is known about a call that failed: `none` when surely nothing was written. */
export type Outcome = 'none' | 'unknown'

/** Facts about a failed statement that are safe to log. */
export interface StoreErrorFacts {
  /** The statement's name, never its text or values. */
  readonly statement?: string
  /** SQLSTATE as PostgreSQL gave it. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly sqlState?: string
  /** A scrubbed copy of what the driver threw. */
  readonly cause?: unknown
}

/** The store answered with an error that waiting does not cure. */
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

/** The store could not be asked, or did not answer within the deadline. Trying later may help. */
export class StoreUnavailableError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'StoreUnavailableError'

  readonly statement: string | undefined
  readonly sqlState: string | undefined
  /** `unknown` when a write may still have been applied although no answer came. */
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

/** Stored bytes do not decode. Codecs throw it; a session treats the entry as absent and raises an event. */
export class UndecodableError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'UndecodableError'

  constructor(problem: string) {
    super('ERR_UNDECODABLE', problem)
  }
}

/** The store's tables have no place for what was asked for. Nothing was written. */
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
