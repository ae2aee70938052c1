/** What browsers ask the application's processes, and what those answer. */

/** Milliseconds that a token works on after its renewal. */
export const GRACE = 9000

/** What a request does with its session. Every value that is stored carries its session's tag. */
export type Act =
  | { readonly kind: 'read' }
  | { readonly kind: 'set'; readonly key: string; readonly value: Value }
  /** A key is deleted with the request's save, or by an update. */
  | { readonly kind: 'delete' | 'remove'; readonly key: string }
  | { readonly kind: 'add'; readonly tag: string }
  | { readonly kind: 'take' }
  | { readonly kind: 'rotate' | 'setLifetime' }
  | { readonly kind: 'clear'; readonly value: Value }
  | { readonly kind: 'destroy' }
  | { readonly kind: 'signIn'; readonly user: string }
  | { readonly kind: 'signOut' }
  /** An administrator ends the session of this id. */
  | { readonly kind: 'revoke'; readonly id: string }
  /** The same in a transaction of the application's, which is committed or rolled back. */
  | { readonly kind: 'endInTransaction'; readonly id: string; readonly commits: boolean }
  | { readonly kind: 'endByUser'; readonly user: string }
  /** The session is given a tag, and ended by it with all others that have it. */
  | { readonly kind: 'tag' | 'untag' | 'listByTag' | 'endByTag'; readonly tag: string }
  | { readonly kind: 'elevate' }
  | { readonly kind: 'describe'; readonly n: number }
  | { readonly kind: 'list'; readonly user: string }
  /** All that is stored of a user, of which the session of this id is looked at. */
  | { readonly kind: 'export'; readonly user: string; readonly id: string }
  /** An administrator, whose session it is, begins to act as a user, and stops. */
  | { readonly kind: 'actAs'; readonly user: string }
  | { readonly kind: 'endActing' }
  | { readonly kind: 'purge' | 'reseal' }
  /** Ends the process, once it has told what it still holds. */
  | { readonly kind: 'close' }

/** Acts that leave a browser's session the one that it was. */
export const KEEPS_SESSION: ReadonlySet<Act['kind']> = new Set([
  'set',
  'delete',
  'remove',
  'add',
  'take',
  'rotate',
  'setLifetime',
  'signIn',
  'elevate',
  'tag',
  'untag',
  'describe',
])

export interface Value {
  readonly tag: string
  readonly n: number
  /** Makes the value so large that a load leaves it out. */
  readonly fill?: string
}

/** A value with its filling, which repeats what the value is, so that no part of another one goes unseen. */
export function largeValue(tag: string, n: number): Value {
  return { tag, n, fill: `${tag} ${n} `.repeat(1500) }
}

/** A session as lists show it. */
export interface Listed {
  readonly id: string
  readonly tags: readonly string[]
  /** What was noted of its device last; null for nothing. */
  readonly n: number | null
}

/** What a session holds. */
export type Content = Record<string, Value>

export interface Request {
  readonly number: number
  readonly token: string | null
  readonly act: Act
}

/**
 * How a request ended: as asked; refused, because the session has ended; failed, and nothing was written; or
 * with an error that leaves open whether it was.
 */
export type Outcome = 'done' | 'refused' | 'failed' | 'unknown'

export interface Answer {
  readonly number: number
  readonly outcome: Outcome
  /** The error's code and message, for all but `done`. */
  readonly error?: string
  /** Whether the error is one that a fault explains. */
  readonly isExpected: boolean
  /** The cookie of the response: another token, or null when it ends the session. */
  readonly token?: string | null
  /** The session that the request has acted on; null for an anonymous one. */
  readonly id?: string | null
  readonly user?: string | null
  readonly content?: Content
  readonly taken?: Value | null
  /** Whether a session was ended, or whether there is one of the administrator's to go back to. */
  readonly ended?: boolean
  readonly isElevated?: boolean
  readonly listed?: readonly Listed[]
  /** Milliseconds of the longest single call, beyond what the process itself stood still. */
  readonly longest: number
  /** What is left in use after `close`. */
  readonly leftovers?: string
}
