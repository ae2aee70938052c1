import { SessionError } from './session-error.ts'

/** The tables are missing, or have a version that this release cannot use. */
export class SchemaError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'SchemaError'

  constructor(
    code:
      | 'ERR_SCHEMA_MISSING'
      | 'ERR_SCHEMA_OUTDATED'
      | 'ERR_SCHEMA_NEWER'
      | 'ERR_SCHEMA_DISTRIBUTED',
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

/** The store's tables cannot hold this. Nothing was written. */
export class UnsupportedError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'UnsupportedError'

  constructor(message: string) {
    super('ERR_UNSUPPORTED', message)
  }
}
