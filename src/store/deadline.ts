import { realTime } from '../real-time.ts'

/** A timer set to more than this fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * The time that one call of a handler may take, whatever it consists of.
 *
 * The session makes it when the handler calls and passes it along, so that loading, queueing, batching,
 * every statement and every retry draw on the same budget. It uses the monotonic clock: a change of the
 * system's clock neither shortens nor extends it.
 *
 * @example
 * ```ts
 * const deadline = new Deadline(500)
 * await store.listByUser('ann', { deadline })
 * await store.count({ deadline }) // in what is left of the 500 ms
 * ```
 */
export class Deadline {
  /** Milliseconds the call had in total; `Infinity` for no limit. For error messages. */
  readonly duration: number
  /** When the budget is spent, on the clock of `performance.now()`. */
  readonly endsAt: number

  constructor(duration: number) {
    this.duration = duration
    this.endsAt = realTime.now() + duration
  }

  /** Milliseconds left; 0 once the budget is spent. */
  left(): number {
    return Math.max(0, this.endsAt - realTime.now())
  }

  get isOver(): boolean {
    return this.left() === 0
  }

  /**
   * Waits for `work` until the deadline, plus one turn of the event loop: an answer that arrived while the
   * process was busy still counts.
   *
   * @param late - Makes the error to reject with when time is up. `work` is then left to itself.
   */
  race<Result>(work: Promise<Result>, late: () => Error): Promise<Result> {
    if (this.endsAt === Number.POSITIVE_INFINITY) return work
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout
      const wait = (): void => {
        timer = realTime.setTimeout(end, Math.min(Math.ceil(this.left()), LONGEST_TIMER))
      }
      // A timer counts whole milliseconds and may fire early.
      const end = (): void => {
        if (this.isOver) realTime.setImmediate(() => reject(late()))
        else wait()
      }
      wait()
      work.then(resolve, reject).finally(() => realTime.clearTimeout(timer))
    })
  }
}

/** What every call of a store takes as its last argument. */
export interface CallOptions {
  /** How much time the call has. A store that waits for anything ends the call by then. */
  readonly deadline?: Deadline | undefined
}
