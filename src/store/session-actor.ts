import type { Lifetime, TokenPrecondition } from './session-change.ts'
import type { SessionSummary } from './session-record.ts'

/** The end of a session of an actor, who goes back to their own. */
export interface ActorReturn extends TokenPrecondition {
  /** The id of the actor's own session, as the session of the actor says. */
  readonly own: string
  /** The hash of the new token of the actor's own session. */
  readonly to: Uint8Array
  readonly lifetime: Lifetime
}

/** What became of it. */
export type ActorReturnResult =
  /** The actor's own session, in which only the new token works. Null if it has ended, or is not theirs any more. */
  | { readonly status: 'ended'; readonly own: SessionSummary | null }
  /** There is no such live session of an actor, or it has another token. Nothing has changed. */
  | { readonly status: 'gone' }
