export type { Codec } from './codec/codec.ts'
export { jsonCodec } from './codec/json-codec.ts'
export type { CookieSettings } from './cookie/cookie-settings.ts'
export {
  type CommonSettings,
  createSessions,
  type DatabaseSettings,
  type StoreSettings,
} from './create-sessions.ts'
export {
  AmbiguousCredentialsError,
  ConfigurationError,
  CrossSiteError,
  InvalidValueError,
  isSessionError,
  LimitExceededError,
  NotElevatedError,
  NotFreshError,
  NotLoadedError,
  type Outcome,
  ReauthenticationRequiredError,
  ResponseStartedError,
  SchemaError,
  SessionError,
  type SessionErrorCode,
  SessionGoneError,
  SessionsClosedError,
  StoreError,
  StoreUnavailableError,
  TooManySessionsError,
  UndecodableError,
  UnsupportedError,
} from './errors.ts'
export { type BearerOptions, bearerSessions } from './http/bearer/bearer-sessions.ts'
export type { Duration } from './options/duration.ts'
export type { StandardSchema } from './options/standard-schema.ts'
export { PostgresStore } from './postgres/postgres-store.ts'
export type { MigrateMode, PostgresStoreOptions } from './postgres/store-options.ts'
export type { TableNameOptions } from './postgres/table-names.ts'
export type { UserQuery, UserSettings, UserTable } from './postgres/user/user-settings.ts'
export type { ResealOptions, ResealProgress, ResealReport } from './sealing/reseal.ts'
export type { CryptoKeyLike, SealKeyInput } from './sealing/seal-key.ts'
export type { SealSettings } from './sealing/seal-settings.ts'
export type { SealedPlace, Sealer, SealFailure } from './sealing/sealer.ts'
export type { Assurance } from './session/assurance.ts'
export type { DataOf, DataSchemas, UpgradedSchema } from './session/data-schemas.ts'
export type { DestroyAllOptions } from './session/destroy-all.ts'
export type { DeviceAddress, DeviceDescription } from './session/device.ts'
export type { ElevateOptions } from './session/elevation.ts'
export type { ExportedSession, UserExport } from './session/export-user.ts'
export type { HealthOptions, HealthProblem, SessionsHealth } from './session/health.ts'
export type { Logger } from './session/logger.ts'
export type { PurgeOptions, Purger } from './session/purger.ts'
export type {
  DefaultData,
  DefaultUser,
  Session,
  SessionData,
  SessionLifetime,
  SessionUser,
  SignInOptions,
  UserOf,
  WithUser,
} from './session/session.ts'
export type { SessionEvents, SessionListener } from './session/session-events.ts'
export type { SessionWatch, WatchEndReason, WatchTarget } from './session/session-watcher.ts'
export {
  defaultSettings,
  type MaxPerUser,
  type SessionLimits,
  type SessionSettings,
} from './session/settings.ts'
export { type IssuedToken, randomToken, type TokenFormat } from './session/token.ts'
export type { SessionInfo } from './session-info.ts'
export type { Sessions } from './sessions.ts'
export type { SessionsInTransaction } from './sessions-in-transaction.ts'
export { MemoryStore } from './store/memory-store.ts'
