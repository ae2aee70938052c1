import type { Operation } from '../postgres/operation.ts'
import type { Entry, StoreCounts } from '../store/session-store.ts'

/**
 * Where another system keeps its sessions: tables in the same database as ours.
 *
 * The same database, because a session is moved, never copied: one statement takes it out there and puts
 * it in here, so that at any moment it is in exactly one place, whatever fails in between.
 */
export interface ImportSource<Found = unknown> {
  /** Names the other system in messages: `connect-pg-simple`. */
  readonly name: string

  /** Reads rows in the order of their cursor. */
  readonly page: Operation<PageRequest, readonly Found[]>

  /** Counts what is there. */
  readonly count: Operation<void, StoreCounts>

  /** Says what one row of a page is. Throws at nothing that a row may hold: it says what is wrong with it. */
  read(found: Found): FoundSession

  /**
   * Takes rows out: the common table expressions `held`, further ones, and `claimed`.
   *
   * They see `free (position, key, version, id)`, the sessions that may be moved. `claimed` gives
   * `position`, and `expires_at` (timestamptz), of the rows that it deleted. It must delete a row only if
   * it is still what `version` stands for, and still alive.
   *
   * @param held - What to do about rows that others hold: `'skip'` them in a batch, so that importers
   * share the work and cannot wait for each other in a circle; `'wait'` for the only one that is asked for.
   */
  claim(held: 'skip' | 'wait'): Readonly<Record<'held' | 'claimed', string>>
}

/** Which rows a page is about. */
export interface PageRequest extends PageLimits {
  /** The cursor of the row before the first; null to begin. */
  readonly after: string | null
}

/** Bounds one page. A page holds at least one row if there is any. */
interface PageLimits {
  readonly rows: number
  /** Of sessions as they are stored there, together. */
  readonly bytes: number
}

/** One row of another system. */
export interface FoundSession {
  /** Where the next page goes on. It may be as secret as a token; it is never shown. */
  readonly cursor: string
  readonly content: MovableSession | ExpiredSession | UnreadableSession
}

/** A session as it will be here, but for its deadline, which the row has when it is claimed. */
export interface MovableSession {
  readonly status: 'movable'
  /** Names the row there. */
  readonly key: string
  /** Changes with the row's contents, but need not with its deadline. */
  readonly version: string
  readonly id: string
  readonly secretHash: Uint8Array
  readonly userId: string | null
  /** Milliseconds; null to follow the settings. */
  readonly ownIdleTimeout: number | null
  /** Milliseconds since the epoch; null for now. What lies in the future counts as now. */
  readonly createdAt: number | null
  readonly lastAccessAt: number | null
  /**
   * Milliseconds from now for which a late write of the other system could still bring its row back to
   * life: its longest lifetime.
   */
  readonly rememberFor: number
  readonly entries: readonly Entry[]
  /** Keys of the entries that are left out since they do not decode; null for a key that does not. */
  readonly undecodable?: readonly (string | null)[]
}

interface ExpiredSession {
  readonly status: 'expired'
}

/** A row that cannot be a session here. It stays where it is. */
export interface UnreadableSession {
  readonly status: 'unreadable'
  /** The same words for the same kind of fault, and nothing of what the row holds. */
  readonly problem: string
  /** The public id that it would have here; null when not even that is known. */
  readonly id: string | null
}
