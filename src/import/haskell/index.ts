/** Taking over the sessions of Haskell's wai-session-postgresql: `pg-sessions/haskell/import`. */

export { type FromWaiOptions, type FromWaiSettings, fromWai } from './from-wai.ts'
export type { MappedSession, WaiMapping, WaiSession } from './wai-mapping.ts'
