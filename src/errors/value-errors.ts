import { SessionError } from './session-error.ts'

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

/** Stored bytes don't decode. Codecs throw it; a session treats the entry as absent and emits an event. */
export class UndecodableError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'UndecodableError'

  constructor(problem: string) {
    super('ERR_UNDECODABLE', problem)
  }
}
