/** The codes of all errors of this package. A code never changes its meaning. */
export type SessionErrorCode =
  | 'ERR_AMBIGUOUS_CREDENTIALS'
  | 'ERR_CONFIGURATION'
  | 'ERR_CROSS_SITE'
  | 'ERR_EMBEDDED_POSTGRES'
  | 'ERR_INVALID_VALUE'
  | 'ERR_LIMIT_EXCEEDED'
  | 'ERR_NOT_ELEVATED'
  | 'ERR_NOT_FRESH'
  | 'ERR_NOT_LOADED'
  | 'ERR_RESPONSE_STARTED'
  | 'ERR_SESSION_GONE'
  | 'ERR_SESSIONS_CLOSED'
  | 'ERR_SCHEMA_MISSING'
  | 'ERR_SCHEMA_OUTDATED'
  | 'ERR_SCHEMA_NEWER'
  | 'ERR_SCHEMA_DISTRIBUTED'
  | 'ERR_STORE'
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_TOO_MANY_SESSIONS'
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
