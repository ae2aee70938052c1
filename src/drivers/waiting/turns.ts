import { within } from './deadline.ts'

/** Lets callers use one thing by turns, first come, first served. */
export class Turns {
  readonly #waiting = new Set<(turn: () => void) => void>()
  #taken = false

  /**
   * Waits for a turn. It lasts until the function given back is called; calling that again is
   * harmless. Whoever stops waiting leaves the queue and is given no turn.
   *
   * @param timeout - Milliseconds to wait; for ever when absent.
   * @throws {DeadlineError} No turn came in time.
   */
  take(timeout?: number): Promise<() => void> {
    if (!this.#taken) {
      this.#taken = true
      return Promise.resolve(this.#turn())
    }
    let join: (turn: () => void) => void = () => {}
    const turn = new Promise<() => void>((resolve) => {
      join = resolve
    })
    this.#waiting.add(join)
    if (timeout === undefined) return turn
    return within(timeout, 'connect', turn, { giveUp: () => this.#waiting.delete(join) })
  }

  #turn(): () => void {
    let over = false
    return () => {
      if (over) return
      over = true
      this.#pass()
    }
  }

  #pass(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#taken = false
      return
    }
    this.#waiting.delete(next)
    next(this.#turn())
  }
}
