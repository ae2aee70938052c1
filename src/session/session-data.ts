/**
 * The keys of a session and the types of their values, for applications that declare them once:
 *
 * ```ts
 * declare module 'pg-sessions' {
 *   interface SessionData {
 *     basket: string[]
 *   }
 * }
 * ```
 */
export interface SessionData {}

/** What a session holds if no type is declared: any key, values of unknown type. */
export type DefaultData = keyof SessionData extends never ? Record<string, unknown> : SessionData

/** A key of a session. */
export type Key<Data> = keyof Data & string
