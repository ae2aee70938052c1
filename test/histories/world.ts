import { createSessions, type Sessions, type StoreSettings } from 'pg-sessions'
import type { SessionStore } from 'pg-sessions/store'
import type { Recorder } from './recorder.ts'
import { watchDeadline } from './watch-deadline.ts'

/** Timeouts that only a long time passes, and tokens that are renewed after a short one. */
const settings: Omit<StoreSettings, 'store'> = {
  idleTimeout: '30d',
  absoluteTimeout: '60d',
  touchInterval: '1m',
  renewInterval: '10m',
  renewGrace: '1m',
  log: false,
}

/** Milliseconds that pass: a renewal counts as lost, is due, and every session expires. */
export const PASSING: Readonly<Record<'brief' | 'short' | 'long', number>> = {
  brief: 15_000,
  short: 11 * 60_000,
  long: 100 * 24 * 3_600_000,
}

/** Several processes that share a store, as one program sees them. */
export class World {
  readonly recorder: Recorder
  readonly #processes: readonly Sessions<Record<string, string>>[]

  readonly #deadline: number

  /** @param deadline - Milliseconds that a call may take. */
  constructor(
    recorder: Recorder,
    stores: readonly SessionStore[],
    deadline: number,
    more: Partial<StoreSettings> = {},
  ) {
    this.recorder = recorder
    this.#deadline = deadline
    this.#processes = stores.map((store) =>
      createSessions<Record<string, string>>({ ...settings, ...more, store }),
    )
  }

  sessions(process: number): Sessions<Record<string, string>> {
    return this.#processes[process % this.#processes.length] as Sessions<Record<string, string>>
  }

  /** Waits for a call, and complains if it goes on after its deadline. */
  watched<Result>(name: string, call: Promise<Result>): Promise<Result> {
    return watchDeadline(call, this.#deadline, () => {
      this.recorder.complain(`${name} did not end by its deadline`)
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((sessions) => sessions.close()))
  }
}
