import type { Actor } from './actor.ts'
import type { SessionCap } from './session-cap.ts'
import type { Entry, SessionTimes } from './session-record.ts'

/** How long a session lives on from an access. */
export interface Lifetime {
  /** From this access to the idle deadline. */
  readonly idle: number
  /** From this access to the purge bound; at least `idle`. It only moves `purgeAt` forward. */
  readonly purge: number
}

/** A session that is to exist. */
export interface NewSession {
  readonly id: string
  readonly secretHash: Uint8Array
  /** Signed in at once when not null. */
  readonly userId: string | null
  readonly lifetime: Lifetime
  readonly ownIdleTimeout: number | null
  /** From now to the absolute deadline; `Infinity` for none. */
  readonly absolute: number
  readonly entries: readonly Entry[]
  /** Absent for none, as always for a store without `tag`. */
  readonly tags?: readonly string[] | undefined
  /** Who acts as the user, who has then not signed in: `authenticatedAt` is null. Absent in the user's own. */
  readonly actor?: Actor | undefined
  /** Of its user; absent for none, as always for a store without `limitsUsers`. */
  readonly cap?: SessionCap | undefined
}

/** Names a stored session as the caller last saw it. Every write checks it. */
export interface Precondition {
  readonly id: string
  /** The user it belonged to. A session that has since passed to another user counts as gone. */
  readonly userId: string | null
  /**
   * The version that the store gave when the caller last saw the session. It is opaque, and changes at each
   * sign-in, also of the same user: a write from before counts as one to a session that is gone. A rotation
   * or renewal of the token leaves it alone, so that writes in flight are not lost. Absent: not checked.
   */
  readonly version?: string | undefined
}

/** The precondition of what only the holder of a working token may do. */
export interface TokenPrecondition extends Precondition {
  /** The hashes of the token that the caller holds. One must be in force, or in its grace. */
  readonly secretHashes: readonly Uint8Array[]
}

/** A change to a stored session, applied whole or not at all. */
export interface SessionChange extends Precondition {
  readonly lifetime: Lifetime
  /** Entries to write; each key at most once here and in `deleted` together. */
  readonly written: readonly Entry[]
  /** Keys to remove. */
  readonly deleted: readonly Uint8Array[]
  /**
   * Whether this access moves the deadlines; by default it does. False if the last touch was too recent. A store
   * may touch the session all the same, and does so with a change of credentials.
   */
  readonly isTouchDue?: boolean
  readonly credentials?: CredentialChange
}

/**
 * A change of token, user or lifetime.
 *
 * With a token, a change of user or lifetime is refused as a whole (`gone`) unless the token is replaced. A
 * change that only replaces the token is done without it, and `rotated` says so.
 */
export interface CredentialChange {
  /** Of several requests that replace the same token one wins. */
  readonly token?: TokenChange
  /** The user to sign in. Always comes with a token. */
  readonly signIn?: {
    readonly userId: string
    /** The session's tags from now on; left as they are when absent. */
    readonly tags?: readonly string[] | undefined
    /** Of the user; absent for none, as always for a store without `limitsUsers`. */
    readonly cap?: SessionCap | undefined
  }
  /**
   * The second factor that the user has just proved: always comes with a token, and counts from now. A sign-in forgets it.
   * Only for a store with `keepsFactors`.
   */
  readonly factor?: string
  /** The new absolute deadline; left as it is when absent. */
  readonly absoluteExpiresAt?: number
  /** The session's own idle timeout from now on; null to follow the settings, absent to keep. */
  readonly ownIdleTimeout?: number | null
}

/** A token to replace. Without a grace all tokens before the new one are dead at once. */
export interface TokenChange {
  /** The hashes of the token this request came with. It must work: in force, or in its grace. */
  readonly from: readonly Uint8Array[]
  readonly to: Uint8Array
  /** Makes it a renewal, after which the token it came with works on for a while. */
  readonly grace?: Grace
}

/**
 * How a renewed token fades. At any moment at most two tokens work: the one in force, and the one that
 * it replaced. Only the token in force can be renewed, so a grace begins once and is never extended.
 */
export interface Grace {
  /** How long a token works on after its renewal. */
  readonly duration: number
  /**
   * The new token, sealed for the holder of the old one. The store keeps it with the old token and gives it
   * back in `PreviousToken.successor`, until a touch with an `overlap` says that the new token was shown.
   */
  readonly successor: Uint8Array
}

/** An access to note. */
export interface Touch {
  readonly id: string
  readonly lifetime: Lifetime
  /** Set when the successor of a renewed token was shown: the token before it has this long left. */
  readonly overlap?: number
  /** Whether no caller waits for the answer. A store may then collect accesses for some milliseconds. */
  readonly mayWait?: boolean
}

/** Whether a change was applied. */
export type SaveResult =
  | {
      readonly status: 'saved'
      readonly times: SessionTimes
      /** Whether the new token is in force; false when another request was faster. */
      readonly rotated: boolean
      readonly version?: string
      /** Sessions of the user that its cap has ended. */
      readonly evicted?: readonly string[]
    }
  | { readonly status: 'gone' }

/** A session that has begun. */
export interface Created {
  readonly status: 'created'
  readonly times: SessionTimes
  /** The session's id, where the store gives one of its own. */
  readonly id?: string
  readonly version?: string
  /** Sessions of the user that its cap has ended. */
  readonly evicted?: readonly string[]
}

/** Whether a session was created. */
export type CreateResult =
  | Created
  /** Another session has this id. */
  | { readonly status: 'taken' }

/** Whether one session ended and the other was created. */
export type ReplaceResult =
  | Created
  | { readonly status: 'gone' }
  /** The session lives on under a token that the caller does not hold. */
  | { readonly status: 'superseded' }

/** One key to write if it still holds what the caller saw. */
export interface EntryUpdate extends Precondition {
  readonly lifetime: Lifetime
  readonly key: Uint8Array
  /** The value the caller saw; null for none. */
  readonly expected: Uint8Array | null
  /** The value to write; null to remove the entry. */
  readonly value: Uint8Array | null
}

/** Whether an entry was written. */
export type UpdateResult =
  | { readonly status: 'updated' }
  /** Another request was faster; this is what the key holds now. */
  | { readonly status: 'changed'; readonly current: Uint8Array | null }
  | { readonly status: 'gone' }

/** What a caller took, and whether the session still lives. */
export type TakeResult =
  /** Null when there was nothing to take. Of several takers one gets the value. */
  { readonly status: 'taken'; readonly value: Uint8Array | null } | { readonly status: 'gone' }

/** Which session to end. */
export interface Ending {
  readonly id: string
  /** Ends the session only if it belongs to this user; any other session then counts as absent. */
  readonly owner?: string
  /** Ends the session only for a working token: one of these hashes is in force, or in its grace. */
  readonly secretHashes?: readonly Uint8Array[]
}

/** Whether a session was ended, and whose it was. */
export type DestroyResult =
  /** It was live until now, and belonged to this user. */
  | { readonly status: 'ended'; readonly userId: string | null }
  /**
   * There is no such live session, or none of that owner. `isInDoubt`: an earlier attempt of this call, whose
   * answer got lost, may have ended it.
   */
  | { readonly status: 'gone'; readonly isInDoubt?: true }
  /** The session lives on under a token that the caller does not hold. */
  | { readonly status: 'superseded' }
