import type { Precondition } from './session-change.ts'

/** How many tags a session may have. */
export const MOST_TAGS = 16

/** Tags to add to a live session, and to take from it. With neither, it is only read. */
export interface TagChange extends Precondition {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** What became of it. */
export type TagResult =
  | { readonly status: 'tagged'; readonly tags: readonly string[] }
  | { readonly status: 'gone' }
  /** The session would have more than `MOST_TAGS`, so nothing has changed. */
  | { readonly status: 'full' }
