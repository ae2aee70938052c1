import type { CallOptions } from './deadline.ts'

/**
 * The contract between sessions and the place where they are kept.
 *
 * A store keeps records and enforces their deadlines by its own clock. Keys and values are bytes to
 * it, tokens are hashes. Every write is guarded: it names the session's id and the user it belonged
 * to when it was loaded, and does nothing to a session that is gone, expired or another user's.
 * Only `create` and `replace` make rows, so a slow write cannot bring back what has ended.
 *
 * "Gone" and "unknown" are answers, not errors. A store throws only when it cannot be asked
 * (`StoreUnavailableError`), is set up wrongly (`SchemaError`) or is at fault (`StoreError`).
 *
 * All times are milliseconds since the epoch and all durations are milliseconds. `Infinity` stands
 * for a deadline that never comes.
 */

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

/** What a load can be told. */
export interface LoadOptions extends CallOptions {
  /** Bytes above which a value may be left out, in a store that has `fetch`. Default: none is. */
  readonly largeEntries?: number | undefined
}

/** Entries to read of a session that was loaded without them. */
export interface EntryRequest extends Precondition {
  /** The hashes of the token that the client showed, or has been given since. It must still work. */
  readonly secretHashes: readonly Uint8Array[]
  readonly keys: readonly Uint8Array[]
}

export type FetchResult =
  /** The entries that are there. */
  { readonly status: 'found'; readonly entries: readonly Entry[] } | { readonly status: 'gone' }

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

/** What a store keeps of a session, without its entries. */
export interface SessionSummary extends SessionTimes {
  readonly id: string
  readonly userId: string | null
  /** The idle timeout of this session alone; null when it follows the settings. */
  readonly ownIdleTimeout: number | null
  /** Passed back with every write: see {@link Precondition.version}. */
  readonly version?: string | undefined
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
   * shares its records with a system that keeps tokens in clear is given those.
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
   * Whether an access was noted so lately that this one need not move the deadlines. A store may move
   * them all the same, and does so with a change of credentials.
   */
  readonly isAccessNoted?: boolean
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
  readonly signIn?: { readonly userId: string }
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
    }
  | { readonly status: 'gone' }

/** A session that has begun. */
export interface Created {
  readonly status: 'created'
  readonly times: SessionTimes
  /** The session's id, where the store gives one of its own. */
  readonly id?: string
  readonly version?: string
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

/** Counts over the whole store. */
export interface StoreCounts {
  readonly live: number
  readonly expired: number
}

/** A live session, as a watcher sees it. */
export interface LiveSession extends Precondition {
  /** How long it has left if it is not used. */
  readonly remaining: number
}

/** Hears which sessions may have ended. Ends with `stop`. */
export interface RevocationFeed {
  /**
   * Whether hints come at present. While they do not, a watcher has to poll. When they begin to
   * come again, a hint of `null` says that some may have been missed.
   */
  readonly isReliable: boolean
  stop(): Promise<void>
}

/** Settings that a store insists on, since its records cannot follow others. In milliseconds. */
export interface RequiredSettings {
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  readonly renewInterval: number
}

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
  /** There is no such live session, or none of that owner. */
  | { readonly status: 'gone' }
  /** The session lives on under a token that the caller does not hold. */
  | { readonly status: 'superseded' }

/** Keeps session records. See the contract suite in `pg-sessions/testing` for what it must hold. */
export interface SessionStore {
  /** Names the store in messages: `postgres`. */
  readonly name: string
  /** Absent for a store that takes all settings. `createSessions` refuses others than these. */
  readonly demands?: RequiredSettings
  /**
   * Milliseconds that a call may take, for a store that waits for something. Sessions make a `Deadline` of
   * this length for each call of a handler; a store call without one has this long by itself.
   */
  readonly deadline?: number

  /** Makes the store usable (tables, connections). Safe to call often, and again after a failure. */
  ready(): Promise<void>

  /** Reads a session, with its entries, for a client that shows its token. Never writes. */
  load(proof: PresentedToken, options?: LoadOptions): Promise<LoadResult>

  /** Reads entries that `load` left out. Never writes. A store without it leaves none out. */
  fetch?(request: EntryRequest, options?: CallOptions): Promise<FetchResult>

  /** Makes a session that did not exist. Never overwrites one. Repeating the same call is harmless. */
  create(session: NewSession, options?: CallOptions): Promise<CreateResult>

  /** Changes a live session in one step. Repeating a renewal that changes nothing else is harmless. */
  save(change: SessionChange, options?: CallOptions): Promise<SaveResult>

  /** Ends a live session and begins another in one step; of several callers one wins. */
  replace(
    ended: TokenPrecondition,
    successor: NewSession,
    options?: CallOptions,
  ): Promise<ReplaceResult>

  /** Writes one entry if it holds what the caller saw. */
  update(update: EntryUpdate, options?: CallOptions): Promise<UpdateResult>

  /** Removes one entry and gives its value to exactly one caller. */
  take(
    guard: Precondition & { readonly lifetime: Lifetime; readonly key: Uint8Array },
    options?: CallOptions,
  ): Promise<TakeResult>

  /** Notes an access. Moves no deadline backwards or past the absolute one, and revives nothing. */
  touch(touch: Touch, options?: CallOptions): Promise<void>

  /** Ends a session, in one step. Idempotent: repeating it answers `gone`. */
  destroy(ending: Ending, options?: CallOptions): Promise<DestroyResult>

  /** Live sessions of a user, the most recently used first. */
  listByUser(userId: string, options?: CallOptions): Promise<readonly SessionSummary[]>

  /** Ends all sessions of a user but those named, and tells which were live. */
  destroyByUser(
    userId: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly string[]>

  count(options?: CallOptions): Promise<StoreCounts>

  /** Removes at most `limit` dead sessions and tells how many went. Safe beside traffic and other purgers. */
  purge(limit: number, options?: CallOptions): Promise<number>

  /**
   * Tells which of these sessions live, and whose they are, for `sessions.watch`. Never writes. A store
   * without it cannot be watched.
   */
  findLive?(ids: readonly string[], options?: CallOptions): Promise<readonly LiveSession[]>

  /** Moves a live session's sign-in back by so many milliseconds, for `signedInAs`. Nothing else changes. */
  backdateSignIn?(id: string, milliseconds: number, options?: CallOptions): Promise<void>

  /**
   * Begins to tell which sessions may have ended or passed to another user, in whatever process. What it
   * tells are hints: the truth is what `findLive` answers after one, and some may never come. Without it
   * `sessions.watch` looks again and again.
   *
   * @param onHint - Told the id of a session; null when any may have ended.
   * @returns Null when the store never gives hints.
   */
  listen?(onHint: (id: string | null) => void): Promise<RevocationFeed | null>

  /** Ends the store's own work: waits for calls in flight, takes no new ones, leaves borrowed clients open. */
  close(): Promise<void>
}
