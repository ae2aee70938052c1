import type { Actor } from './actor.ts'

/** One key with its value, as a codec made them. */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** An entry whose value was too large to be read with its session. */
export interface OmittedEntry {
  readonly key: Uint8Array
  /** Bytes of its value. */
  readonly size: number
}

/** What a store tells of a session's times, by the store's clock. */
export interface SessionTimes {
  readonly createdAt: number
  /** When the user last signed in; null for an anonymous session. */
  readonly authenticatedAt: number | null
  readonly lastAccessAt: number
  /** When the token in force was issued. */
  readonly tokenIssuedAt: number
  /** The deadline in force: the earlier of idle and absolute. */
  readonly expiresAt: number
  readonly absoluteExpiresAt: number
  /** A coarse bound, never before `expiresAt`, after which purge finds the session. */
  readonly purgeAt: number
  /** The store's clock when it answered. */
  readonly now: number
}

/** A second factor that the user has proved. */
export interface Elevation {
  /** As the application names it: `totp`. */
  readonly factor: string
  /** By the store's clock. */
  readonly at: number
}

/** What a store keeps of a session, without its entries. */
export interface SessionSummary extends SessionTimes {
  readonly id: string
  readonly userId: string | null
  /** The idle timeout of this session alone; null when it follows the settings. */
  readonly ownIdleTimeout: number | null
  /** Passed back with every write: see {@link Precondition.version}. */
  readonly version?: string | undefined
  /** What `describe` has noted, as JSON; only in lists, and absent if nothing was. */
  readonly device?: string
  /** The session's tags; only in lists, and absent if there are none. */
  readonly tags?: readonly string[]
  /** Who acts as the user; absent in the user's own. */
  readonly actor?: Actor
  /** The second factor that the user has proved since the sign-in, and when; absent if none. */
  readonly elevation?: Elevation
  /** Whether the token is to be replaced with the next response, because another system has asked for it. */
  readonly isRotationDue?: boolean
}

/** What a store keeps of a session. */
export interface SessionRecord extends SessionSummary {
  readonly entries: readonly Entry[]
  /** Entries that a load was told to leave out; absent when there are none. `fetch` reads them. */
  readonly omitted?: readonly OmittedEntry[]
  /** The token before the last renewal while it still works; null when only the one in force does. */
  readonly previousToken: PreviousToken | null
  /** The signed-in user's row; null for none, and for a user who is gone. Absent where users are not joined. */
  readonly user?: unknown
}

/** A token that was renewed and is in its grace period. */
export interface PreviousToken {
  /** When it stops working. */
  readonly until: number
  /** Whether it was the token that the client showed. */
  readonly isShown: boolean
  /** The `successor` of the renewal; null once the new token was shown. */
  readonly successor: Uint8Array | null
}

/** What a client showed, as far as a store may know it. */
export interface PresentedToken {
  /** Empty for tokens that do not name their session: the store then finds it by the hashes. */
  readonly id: string
  /**
   * The secret's hash under every pepper that is still accepted, the current one first. A store that
   * shares its records with a system that keeps tokens in plain text is given those.
   */
  readonly secretHashes: readonly Uint8Array[]
  /**
   * Whether the token is of a form that is on its way out. The session gets another with the response, and
   * this one works on for the grace of a renewal. Nothing to a store.
   */
  readonly isOutdated?: boolean
}

/** Whether a presented token opens a session. */
export type LoadResult =
  | {
      readonly status: 'live'
      readonly record: SessionRecord
      /**
       * Entries that the store found and could not hand over: their keys, null for a key that is not known.
       * They count as absent, and each is an event `decodeFailed`.
       */
      readonly undecodable?: readonly (string | null)[]
    }
  /** The token is right, but a deadline has passed. */
  | { readonly status: 'expired'; readonly id: string; readonly userId: string | null }
  /**
   * The session lives, and this was its token before the last renewal, whose grace is over: the client
   * lost the response with the new token, or the token was stolen. A store that does not renew never says so.
   */
  | { readonly status: 'reused'; readonly id: string; readonly userId: string | null }
  | {
      readonly status: 'unknown'
      /** Why a session that is there cannot be handed over, in words without anything secret. */
      readonly problem?: string
    }
