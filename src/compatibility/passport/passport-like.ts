import type { Session } from '../../session/session.ts'

/** The parts of a `passport` instance that are used here. */
export interface PassportLike {
  /** Makes the middleware that runs a strategy. */
  readonly authenticate: (...parameters: never[]) => unknown
  /** Makes the middleware that connects another account. */
  readonly authorize: (...parameters: never[]) => unknown
  /** Turns a user into what the session keeps. */
  readonly serializeUser: (...parameters: never[]) => unknown
  /** Turns what the session keeps into `req.user`. */
  readonly deserializeUser: (...parameters: never[]) => unknown
  /** Adds a strategy. */
  readonly use: (...parameters: never[]) => unknown
}

/** A request as Passport's middleware gets it. */
export type PassportRequest = object

/** Middleware of Express or Connect. */
export type Middleware = (
  request: PassportRequest,
  response: object,
  next: (error?: unknown) => void,
) => void

/** How Passport's parts find and name what they need. */
export interface PassportContext {
  /** @throws {ConfigurationError} If the request has no native session. */
  session(request: PassportRequest): Session
  /** Null when it names no user. */
  userId(serialized: unknown): string | null
  serialize(user: unknown, request: PassportRequest): Promise<unknown>
  deserialize(serialized: unknown, request: PassportRequest): Promise<unknown>
}

/** The key of a session under which Passport keeps its user, here as on express-session. */
export const PASSPORT_KEY = 'passport'
