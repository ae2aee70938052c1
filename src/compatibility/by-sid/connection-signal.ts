import { randomUUID } from 'node:crypto'
import { realTime } from '../../real-time.ts'
import type { SessionEventHub } from '../../session/session-events.ts'
import type { SessionStore } from '../../store/session-store.ts'

/** How long to wait before asking once more whether the store is back. */
const PAUSE = 1000

/**
 * Tells when the store goes away and comes back, as express-session wants to know it.
 *
 * While a store is said to be away, express-session goes on without sessions. So one call that failed says
 * nothing: the store is asked once more, and only when that fails too it counts as away. From then on it is
 * asked every second until it answers.
 */
export class ConnectionSignal {
  readonly #store: SessionStore
  readonly #tell: (event: 'connect' | 'disconnect') => void
  #state: 'unknown' | 'here' | 'asked' | 'away' | 'closed' = 'unknown'
  #timer: NodeJS.Timeout | undefined

  /** @param store - Asked in the background. Its failures must not reach `events`. */
  constructor(
    store: SessionStore,
    events: SessionEventHub,
    tell: (event: 'connect' | 'disconnect') => void,
  ) {
    this.#store = store
    this.#tell = tell
    events.on('storeUnavailable', () => this.#failed())
  }

  /** A call was answered. */
  answered(): void {
    if (this.#state === 'here' || this.#state === 'closed') return
    const wasHere = this.#state === 'asked'
    this.#state = 'here'
    realTime.clearTimeout(this.#timer)
    if (!wasHere) process.nextTick(this.#tell, 'connect')
  }

  /** Stops asking. */
  close(): void {
    this.#state = 'closed'
    realTime.clearTimeout(this.#timer)
  }

  #failed(): void {
    if (this.#state !== 'here' && this.#state !== 'unknown') return
    this.#state = 'asked'
    this.#ask()
  }

  #ask(): void {
    this.#store.load({ id: randomUUID(), secretHashes: [] }).then(
      () => this.answered(),
      () => this.#stillAway(),
    )
  }

  #stillAway(): void {
    if (this.#state === 'asked') {
      this.#state = 'away'
      process.nextTick(this.#tell, 'disconnect')
    }
    if (this.#state !== 'away') return
    this.#timer = realTime.setTimeout(() => this.#ask(), PAUSE)
    this.#timer.unref()
  }
}
