import { StoreUnavailableError } from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'

/**
 * Runs calls one after the other, in the order in which they came.
 *
 * A call waits for those before it no longer than its own deadline. One that gives up never runs, and the
 * calls behind it still wait for those before.
 */
export class Turn {
  #last: Promise<unknown> | null = null

  /** Whether no call runs or waits. */
  get isFree(): boolean {
    return this.#last === null
  }

  /** @throws {StoreUnavailableError} If the deadline passes before this call's turn. It has done nothing. */
  take<Result>(deadline: Deadline, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last
    if (before === null) {
      const result = work()
      this.#endWith(result)
      return result
    }
    const result = deadline.race(before, () => waitedTooLong(deadline)).then(work)
    this.#endWith(Promise.allSettled([before, result]))
    return result
  }

  #endWith(calls: Promise<unknown>): void {
    const clear = (): void => {
      if (this.#last === last) this.#last = null
    }
    const last = calls.then(clear, clear)
    this.#last = last
  }
}

function waitedTooLong({ duration }: Deadline): StoreUnavailableError {
  return new StoreUnavailableError(
    `Timed out after ${duration} ms waiting for an earlier call on the same session. Nothing was written.`,
    'none',
  )
}
