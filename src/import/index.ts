export { type FromAuthjsOptions, fromAuthjs } from './from-authjs.ts'
export { type FromBetterAuthOptions, fromBetterAuth } from './from-better-auth.ts'
export { type FromLuciaOptions, fromLucia } from './from-lucia.ts'
export type {
  FromTokenTableOptions,
  FromTokenTableSettings,
} from './token-table/from-token-table.ts'
export type { LuciaTokens } from './token-table/systems.ts'
