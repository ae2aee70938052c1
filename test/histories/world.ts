import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { createSessions, type Sessions, type StoreSettings } from 'pg-sessions'
import type { SessionStore } from 'pg-sessions/store'
import type { Program } from './program.ts'
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

/** What a program asks of the sessions, as far as the store can do it. */
export type Wishes = Pick<Program, 'beyondTwo' | 'seals'>

interface WorldOptions extends Wishes {
  /** Milliseconds that a call may take. */
  readonly deadline: number
  readonly settings?: Partial<StoreSettings> | undefined
}

const keys = ['one', 'other'].map((name) => createHash('sha256').update(name).digest())

/** Several processes that share a store, as one program sees them. */
export class World {
  readonly recorder: Recorder
  readonly beyondTwo: Program['beyondTwo']
  readonly seals: boolean
  readonly #processes: readonly Sessions<Record<string, string>>[]
  readonly #deadline: number
  readonly #evicting = new AsyncLocalStorage<string[]>()

  constructor(
    recorder: Recorder,
    stores: readonly SessionStore[],
    { deadline, settings: more, beyondTwo, seals }: WorldOptions,
  ) {
    this.recorder = recorder
    this.#deadline = deadline
    this.beyondTwo = stores[0]?.limitsUsers === true ? beyondTwo : 'live'
    this.seals = seals && stores[0]?.readValues !== undefined
    this.#processes = stores.map((store, n) => {
      const sessions = createSessions<Record<string, string>>({
        ...settings,
        ...more,
        ...(this.beyondTwo !== 'live' && { maxPerUser: { count: 2, beyond: this.beyondTwo } }),
        ...(this.seals && { seal: { keys: n === 0 ? keys : keys.toReversed() } }),
        store,
      })
      sessions.on('destroyed', ({ sessionId, reason }) => {
        if (reason === 'evicted') this.#evicting.getStore()?.push(sessionId)
      })
      sessions.on('unsealFailed', ({ reason }) => recorder.complain(`a value is ${reason}`))
      return sessions
    })
  }

  /** Adds to the list the sessions that are told of as ended by a sign-in. */
  collectEvicted<Result>(evicted: string[], signIn: () => Result): Result {
    return this.#evicting.run(evicted, signIn)
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
