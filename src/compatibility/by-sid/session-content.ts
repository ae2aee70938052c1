import type { SessionTexts } from './session-texts.ts'

/** How long a session is to live, as its middleware sees it. Milliseconds from now. */
export interface SessionTerms {
  /** Until it ends unless it is used again; null when the settings say. Not positive: it has ended. */
  readonly expiresIn: number | null
  /** How far each access is to move that; null when the settings say, undefined to leave it as it is. */
  readonly ownIdleTimeout: number | null | undefined
}

/** A session object as it is to be stored. Nothing in it changes when the object does. */
export interface SessionContent {
  readonly texts: SessionTexts
  readonly terms: SessionTerms
  /** Whether the middleware's object cannot carry this key, so that its absence says nothing. */
  isHidden(key: string): boolean
  /** Whom it belongs to; undefined to leave that as it is. */
  readonly userId: string | null | undefined
  /** Whether it was made outside of a request, so that there may be one already. */
  readonly mayBeStored: boolean
}
