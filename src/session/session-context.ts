import type { Codec } from '../codec/codec.ts'
import type { Deadline } from '../store/deadline.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { DataChecks } from './data-schemas.ts'
import type { ForgottenReturns } from './forgotten-returns.ts'
import type { SessionEventHub } from './session-events.ts'
import type { SessionPolicy } from './session-policy.ts'
import type { TokenFormat } from './token.ts'
import type { UpdateQueue } from './update-queue.ts'

/** What all sessions of one `createSessions` share. */
export interface SessionContext {
  readonly store: SessionStore
  readonly codec: Codec
  /** Checks values by the schemas of the setting `data`; null without it. */
  readonly data: DataChecks | null
  readonly tokens: TokenFormat
  readonly policy: SessionPolicy
  readonly events: SessionEventHub
  readonly updates: UpdateQueue
  /** Begins the time budget of one call of a handler. */
  deadline(): Deadline
  /** Whether values that handlers get are frozen, so that changing them in place throws. */
  readonly freezesValues: boolean
  /** Null in production. */
  readonly forgottenReturns: ForgottenReturns | null
  /** Takes charge of work that no request waits for; `close()` does. */
  inBackground(work: Promise<unknown>): void
}
