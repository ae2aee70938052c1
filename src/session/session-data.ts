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

/**
 * The type of the users of an application, if it declares it once, as `SessionData`:
 *
 * ```ts
 * declare module 'pg-sessions' {
 *   interface SessionUser {
 *     id: string
 *     name: string
 *   }
 * }
 * ```
 */
export interface SessionUser {}

/** What `session.user` is if no type is declared. */
export type DefaultUser = keyof SessionUser extends never ? Record<string, unknown> : SessionUser

declare const USER: unique symbol

/** Says the type of `session.user` beside the data of a session: `Session<Data & WithUser<User>>`. */
export interface WithUser<User> {
  readonly [USER]: User
}

/** The type of `session.user` of a session with this data. */
export type UserOf<Data> = Data extends WithUser<infer User> ? User : DefaultUser
