import { SessionError } from './session-error.ts'

/** An option or argument is wrong, or two options contradict each other. */
export class ConfigurationError extends SessionError {
  /** @internal */
  static override readonly kind: string = 'ConfigurationError'

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('ERR_CONFIGURATION', message, options)
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
