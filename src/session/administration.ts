import type { Codec } from '../codec/codec.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { Logger } from './logger.ts'
import type { SessionEventHub } from './session-events.ts'

/** What the admin page works with, of the sessions that it is for. */
export interface Administration {
  readonly store: SessionStore
  readonly codec: Codec
  readonly events: SessionEventHub
  readonly log: Logger
  /** Whether cookies of these sessions travel over https only. */
  readonly isSecure: boolean
  /** Aborted when the sessions are closed. */
  readonly closing: AbortSignal
}
