/** Sessions in the tables of Haskell's wai-session-postgresql, shared with it live: `pg-sessions/haskell`. */

export type { WaiStoreOptions, WaiTablesMode } from './store-options.ts'
export { type WaiOptions, type WaiSettings, waiSettings } from './wai-settings.ts'
export { WaiStore } from './wai-store.ts'
export { type WaiTokenOptions, waiTokens } from './wai-tokens.ts'
