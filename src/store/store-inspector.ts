import type { CallOptions } from './deadline.ts'
import type { Entry } from './session-record.ts'

/** A stored session, live or dead, as an operator sees it. Times are milliseconds since the epoch. */
export interface InspectedSession {
  readonly id: string
  readonly userId: string | null
  readonly createdAt: number
  readonly authenticatedAt: number | null
  readonly lastAccessAt: number
  /** Infinity for a session without a deadline. */
  readonly expiresAt: number
  readonly absoluteExpiresAt: number
  readonly isLive: boolean
  /** What the sign-in said of its device, as JSON; absent if nothing. */
  readonly device?: string
  /** Absent if it has none. */
  readonly tags?: readonly string[]
}

/** A key of a session, with the size of its value in bytes. */
export interface InspectedEntry {
  readonly key: Uint8Array
  readonly size: number
}

/** A part of a whole: how many have a quantity from `from` up to the next part's. */
export interface Share {
  readonly from: number
  readonly count: number
}

/** Counts over all stored sessions. Estimates if `isExact` is false. */
export interface SessionFigures {
  readonly isExact: boolean
  readonly stored: number
  readonly live: number
  /** Live sessions of a user who is signed in. */
  readonly signedIn: number
  /** Users with a live session. */
  readonly users: number
  /** Live sessions by the milliseconds until they expire. */
  readonly remaining: readonly Share[]
  /** Live sessions by the milliseconds since they began. */
  readonly ages: readonly Share[]
  /** Stored sessions, expired ones included, by the hours since their last sign-in: 24 parts. */
  readonly signIns: readonly Share[]
  /** Users by how many live sessions they have. */
  readonly sessionsPerUser: readonly Share[]
}

/** What the server's catalog and statistics say of a table. */
export interface TableFigures {
  readonly table: string
  /** Bytes on disk without indexes, the out-of-line storage of large values included. */
  readonly bytes: number
  readonly indexes: readonly { readonly name: string; readonly bytes: number }[]
  /** Estimates of the server's statistics. */
  readonly rows: number
  readonly deadRows: number
  readonly updates: number
  /** Updates that moved no index entry. */
  readonly heapOnlyUpdates: number
  readonly deletions: number
  readonly vacuumedAt: number | null
}

/** Sessions that a purge would delete now. */
export interface PurgeFigures {
  readonly backlog: number
  /** Whether there are more than `backlog` says: counting stops there. */
  readonly isMore: boolean
  /** When the oldest of them, or else the next session, fell or falls due; null if none is stored. */
  readonly dueAt: number | null
}

/** An overview of a store. No part of it reads a whole table. */
export interface StoreFigures {
  /** Null where the store cannot take a sample of its sessions. */
  readonly sessions: SessionFigures | null
  readonly tables: readonly TableFigures[]
  readonly purge: PurgeFigures
  /** The time on the store's clock. */
  readonly time: number
}

/**
 * Looks at stored sessions for an operator. Nothing that it gives is secret but values, no call writes, and none
 * reads more of the store than its limit, however many sessions there are.
 */
export interface StoreInspector {
  figures(options?: CallOptions): Promise<StoreFigures>

  /** Sessions in the order of their ids, the newest first: those before the id `before`, or all. */
  newest(
    page: { readonly before: string | null; readonly limit: number },
    options?: CallOptions,
  ): Promise<readonly InspectedSession[]>

  /** At most `limit` sessions of a user, the most recently used first if these are all. */
  ofUser(
    search: { readonly userId: string; readonly limit: number },
    options?: CallOptions,
  ): Promise<readonly InspectedSession[]>

  /** At most `limit` sessions with a tag, the most recently used first if these are all. */
  withTag(
    search: { readonly tag: string; readonly limit: number },
    options?: CallOptions,
  ): Promise<readonly InspectedSession[]>

  /** Sessions whose device's label contains a text, in any case, among the `among` newest. */
  withLabel(
    search: { readonly label: string; readonly among: number; readonly limit: number },
    options?: CallOptions,
  ): Promise<readonly InspectedSession[]>

  /** A session, or null if none with this id is stored. */
  session(id: string, options?: CallOptions): Promise<InspectedSession | null>

  /** At most `limit` of a session's keys, in their order. */
  keys(
    search: { readonly id: string; readonly limit: number },
    options?: CallOptions,
  ): Promise<readonly InspectedEntry[]>

  /** Those of a session's entries with these keys whose value takes at most `bytes`. */
  entries(
    search: { readonly id: string; readonly keys: readonly Uint8Array[]; readonly bytes: number },
    options?: CallOptions,
  ): Promise<readonly Entry[]>
}
