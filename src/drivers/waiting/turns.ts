import { realTime } from '../../real-time.ts'
import { within } from './deadline.ts'

/** Too many calls wait already for something that has not come free for a while. */
export class CrowdedError extends Error {
  readonly code: string = 'ETIMEDOUT'
  readonly syscall: string = 'connect'

  constructor(waiting: number, silence: number) {
    super(
      `No database connection has become free for ${Math.round(silence)} ms, and ${waiting} calls wait for one already`,
    )
  }

  override get name(): string {
    return 'CrowdedError'
  }
}

/** How many calls may wait once nothing moves. */
const CROWD = 100
/** Milliseconds without a new turn after which nothing moves: a burst of calls passes well within it. */
const STANDSTILL = 1_000

/** Hands out a fixed number of turns at the same time, first come, first served. */
export class Turns {
  readonly #waiting = new Set<(turn: () => void) => void>()
  #left: number
  #latest = 0

  /** @param size - How many turns last at the same time. Default: 1. */
  constructor(size = 1) {
    this.#left = size
  }

  /** How many calls wait for a turn. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Waits for a turn. The turn lasts until you call the function that this resolves to; calling it again
   * is harmless. A call that gives up leaves the queue.
   *
   * @param timeout - Milliseconds to wait. Without it, waits as long as it takes.
   * @throws {DeadlineError} No turn came in time.
   * @throws {CrowdedError} No turn has begun for a second, and a hundred calls wait for one already.
   */
  async take(timeout?: number): Promise<() => void> {
    const now = this.takeNow()
    if (now !== undefined) return now
    const silence = realTime.now() - this.#latest
    if (timeout !== undefined && this.#waiting.size >= CROWD && silence > STANDSTILL) {
      throw new CrowdedError(this.#waiting.size, silence)
    }
    let join: (turn: () => void) => void = () => {}
    const turn = new Promise<() => void>((resolve) => {
      join = resolve
    })
    this.#waiting.add(join)
    if (timeout === undefined) return turn
    return within(timeout, 'connect', turn, { giveUp: () => this.#waiting.delete(join) })
  }

  /** Takes a turn if one is free. */
  takeNow(): (() => void) | undefined {
    if (this.#left === 0) return undefined
    this.#left -= 1
    return this.#turn()
  }

  #turn(): () => void {
    this.#latest = realTime.now()
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#pass()
    }
  }

  #pass(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#left += 1
      return
    }
    this.#waiting.delete(next)
    next(this.#turn())
  }
}
