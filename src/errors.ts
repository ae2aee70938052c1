/**
 * Every error that this package throws on purpose. Each has a stable `code`.
 *
 * Messages say what happened and what to do. They hold no token, hash, value, SQL or connection string, so
 * you may log them.
 */

export {
  AmbiguousCredentialsError,
  CrossSiteError,
  NotElevatedError,
  NotFreshError,
  ReauthenticationRequiredError,
  ResponseStartedError,
  TooManySessionsError,
} from './errors/request-errors.ts'
export { isSessionError, SessionError, type SessionErrorCode } from './errors/session-error.ts'
export { NotLoadedError, SessionGoneError, SessionsClosedError } from './errors/session-errors.ts'
export { ConfigurationError, EmbeddedPostgresError } from './errors/setting-errors.ts'
export {
  type Outcome,
  SchemaError,
  StoreError,
  type StoreErrorFacts,
  StoreUnavailableError,
  UnsupportedError,
} from './errors/store-errors.ts'
export { InvalidValueError, LimitExceededError, UndecodableError } from './errors/value-errors.ts'
