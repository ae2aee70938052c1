import type { Actor } from './actor.ts'
import type { CallOptions, Deadline } from './deadline.ts'
import type { ActorReturn, ActorReturnResult } from './session-actor.ts'
import type {
  CreateResult,
  DestroyResult,
  Ending,
  EntryUpdate,
  Lifetime,
  NewSession,
  Precondition,
  ReplaceResult,
  SaveResult,
  SessionChange,
  TakeResult,
  TokenPrecondition,
  Touch,
  UpdateResult,
} from './session-change.ts'
import type { DescribeResult, Description } from './session-description.ts'
import type { EndedPage, EndedSession, EndingPage, StoredSession } from './session-erasure.ts'
import type { Entry, LoadResult, PresentedToken, SessionSummary } from './session-record.ts'
import type { TagChange, TagResult } from './session-tags.ts'
import type { StoreInspector } from './store-inspector.ts'
import type { StoreTransaction } from './store-transaction.ts'
import type { StoredValue, ValuePage, ValueReplacement } from './stored-values.ts'

export type * from './actor.ts'
export type * from './session-actor.ts'
export type * from './session-cap.ts'
export type * from './session-change.ts'
export type * from './session-description.ts'
export type * from './session-erasure.ts'
export type * from './session-record.ts'
export type * from './session-tags.ts'
export type * from './store-inspector.ts'
export type * from './store-transaction.ts'
export type * from './stored-values.ts'

/**
 * The contract between sessions and the place where they are kept.
 *
 * A store keeps records and enforces their deadlines by its own clock. Keys and values are bytes to
 * it, tokens are hashes. Every write is guarded: it names the session's id and the user it belonged
 * to when it was loaded, and does nothing to a session that is gone, expired or another user's.
 * Only `create` and `replace` make rows, so a slow write cannot bring back what has ended.
 *
 * "Gone" and "unknown" are answers, not errors. A store throws only when it cannot be asked
 * (`StoreUnavailableError`), is set up wrongly (`SchemaError`) or is at fault (`StoreError`), and when the cap of a
 * sign-in refuses it (`TooManySessionsError`).
 *
 * All times are milliseconds since the epoch and all durations are milliseconds. `Infinity` stands
 * for a deadline that never comes.
 */

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

/** What a session holds under the keys asked for. */
export type FetchResult =
  /** The entries that are there. */
  { readonly status: 'found'; readonly entries: readonly Entry[] } | { readonly status: 'gone' }

/** The user's row, for a session that a request holds. */
export type LoadUserResult =
  /** Null for a user who is gone, and for an anonymous session. */
  { readonly status: 'found'; readonly user: unknown } | { readonly status: 'gone' }

/** Counts over the whole store. */
export interface StoreCounts {
  readonly live: number
  readonly expired: number
}

/** A live session, as a watcher sees it. */
export interface LiveSession extends Precondition {
  /** How long it has left if it is not used. */
  readonly remaining: number
  /** Who acts as its user; absent in the user's own. It depends on this actor's own session. */
  readonly actor?: Actor
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

/** Told of a session that may have ended. */
export type OnHint = (id: string | null, why?: 'evicted') => void

/** Settings that a store insists on, since its records cannot follow others. In milliseconds. */
export interface RequiredSettings {
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  readonly renewInterval: number
}

/** What a store finds when it looks whether it can be used. */
export interface StoreCheck {
  /** The time on the store's clock, in milliseconds since the epoch. */
  readonly time: number
  /** Whether it takes no writes. */
  readonly isReadOnly: boolean
  /** What it is not allowed to do, such as `DELETE on sessions.session`. */
  readonly missingRights: readonly string[]
}

/** Encrypts the values of a session as `create` would be given them. */
export type SealMoved = (
  sessionId: string,
  entries: readonly Entry[],
  deadline?: Deadline,
) => Promise<readonly Entry[]>

/** Keeps session records. See the contract suite in `pg-sessions/testing` for what it must hold. */
export interface SessionStore {
  /** Names the store in messages: `postgres`. */
  readonly name: string
  /** Absent for a store that takes all settings. `createSessions` refuses others than these. */
  readonly requiredSettings?: RequiredSettings
  /**
   * Settings that must come from the function that made the store, since it reads records of another system. Absent for a
   * store that works with any.
   */
  readonly needs?: readonly ('codec' | 'tokens')[]
  /**
   * Milliseconds that a call may take, for a store that waits for something. Sessions make a `Deadline` of
   * this length for each call of a handler; a store call without one has this long by itself.
   */
  readonly deadline?: number
  /**
   * Whether it keeps the cap of a sign-in, for `maxPerUser`: of any sign-ins of a user, in any processes, no more live
   * sessions are left than `count`, and none beyond begins if the cap refuses more.
   */
  readonly limitsUsers?: true
  /** Whether it keeps second factors, for `session.elevate`. */
  readonly keepsFactors?: true

  /**
   * Told how the values of these sessions are encrypted, if they are, before its first call: for a store that moves sessions
   * from elsewhere by itself, since those do not pass through `create`.
   */
  sealMovedBy?(seal: SealMoved): void

  /** Makes the store usable (tables, connections). Safe to call often, and again after a failure. */
  ready(): Promise<void>

  /** Reads a session, with its entries, for a client that shows its token. Never writes. */
  load(proof: PresentedToken, options?: LoadOptions): Promise<LoadResult>

  /** Reads entries that `load` left out. Never writes. A store without it leaves none out. */
  fetch?(request: EntryRequest, options?: CallOptions): Promise<FetchResult>

  /** Reads the row of the session's user again. Absent in a store that joins no users to `load`. */
  loadUser?(guard: TokenPrecondition, options?: CallOptions): Promise<LoadUserResult>

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

  /** Notes what is said of a session's device, for `listByUser`. A store without it keeps none. */
  describe?(description: Description, options?: CallOptions): Promise<DescribeResult>

  /**
   * Adds tags to a live session and takes tags from it, in one step; concurrent changes of other tags all stay. A
   * store without it keeps no tags, and needs neither of the two methods below nor `tags` of a new session.
   */
  tag?(change: TagChange, options?: CallOptions): Promise<TagResult>

  /** Live sessions with this tag, the most recently used first. */
  listByTag?(tag: string, options?: CallOptions): Promise<readonly SessionSummary[]>

  /** Ends all sessions with this tag but those named, and tells which were live. */
  destroyByTag?(
    tag: string,
    except: readonly string[],
    options?: CallOptions,
  ): Promise<readonly EndedSession[]>

  /**
   * Ends a session of an actor for a working token, and gives the actor's own session a new token, in one step: of several
   * callers one wins. A store without it keeps no actors, and needs no `actor` of a new session.
   */
  endActing?(acting: ActorReturn, options?: CallOptions): Promise<ActorReturnResult>

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

  /**
   * Reads all that is stored of a user, dead sessions included, the oldest first. Never writes. A store that
   * keeps no users lacks it.
   */
  readUser?(userId: string, options?: CallOptions): Promise<readonly StoredSession[]>

  /**
   * Ends at most `limit` of the sessions that began before the first page, live or dead, in the order of
   * their ids. A store that cannot end all sessions lacks it.
   */
  destroyPage?(page: EndingPage, options?: CallOptions): Promise<EndedPage>

  /**
   * Reads a page of the values of all sessions, dead ones included, for `sessions.reseal`. Never writes. An empty
   * page is the end.
   */
  readValues?(page: ValuePage, options?: CallOptions): Promise<readonly StoredValue[]>

  /** Replaces values that still are what the caller saw, and nothing else of their sessions. Tells how many. */
  replaceValues?(replacements: readonly ValueReplacement[], options?: CallOptions): Promise<number>

  count(options?: CallOptions): Promise<StoreCounts>

  /** Removes at most `limit` dead sessions and tells how many went. Safe beside traffic and other purgers. */
  purge(limit: number, options?: CallOptions): Promise<number>

  /**
   * Tells which of these sessions live, and whose they are, for `sessions.watch`. Never writes. A store
   * without it cannot be watched.
   */
  findLive?(ids: readonly string[], options?: CallOptions): Promise<readonly LiveSession[]>

  /**
   * Looks whether sessions can be read and written, for `sessions.check`. Never writes. Without it, `ready` is
   * asked.
   */
  check?(options?: CallOptions): Promise<StoreCheck>

  /** Moves a live session's sign-in back by so many milliseconds, for `signedInAs`. Nothing else changes. */
  backdateSignIn?(id: string, milliseconds: number, options?: CallOptions): Promise<void>

  /**
   * Begins to tell which sessions may have ended or passed to another user, in whatever process. What it
   * tells are hints: the truth is what `findLive` answers after one, and some may never come. Without it
   * `sessions.watch` looks again and again.
   *
   * @param onHint - Told the id of a session; null when any may have ended. `'evicted'` says that a sign-in beyond
   * the cap of its user has ended it.
   * @returns Null when the store never gives hints.
   */
  listen?(onHint: OnHint): Promise<RevocationFeed | null>

  /**
   * Ends sessions within a transaction that the application has begun. Absent in a store that does not lie in
   * the application's database.
   *
   * @param client - What runs statements in that transaction.
   * @throws {ConfigurationError} The client is not known, or has no transaction open.
   */
  inTransaction?(client: object): StoreTransaction

  /** Looks at stored sessions for the admin page. Absent in a store that cannot do so at a bounded cost. */
  readonly inspector?: StoreInspector

  /** Ends the store's own work: waits for calls in flight, takes no new ones, leaves borrowed clients open. */
  close(): Promise<void>
}
