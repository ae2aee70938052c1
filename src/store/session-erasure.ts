import type { Entry, SessionSummary } from './session-record.ts'

/** Which sessions of the store to end next, in the order of their ids. */
export interface EndingPage {
  /** Ends those with a greater id; null for the first. */
  readonly after: string | null
  /** Ends those that began until then, by the store's clock; null for now. */
  readonly before: number | null
  /** How many at most. */
  readonly limit: number
}

/** A live session that was ended. */
export interface EndedSession {
  readonly id: string
  readonly userId: string | null
}

/** What a page of ends has come to. */
export interface EndedPage {
  /** Those that were live. Dead ones went as well. */
  readonly ended: readonly EndedSession[]
  /** Where the next page begins; null when this one was the last. */
  readonly next: Pick<EndingPage, 'after' | 'before'> | null
}

/** What a store keeps of a user's session, without its token. */
export interface StoredSession extends SessionSummary {
  readonly entries: readonly Entry[]
}
