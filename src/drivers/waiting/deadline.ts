import { realTime } from '../../real-time.ts'
import { setAlarm } from './alarm.ts'

/**
 * Time ran out. It bears Node's own code of a socket that timed out, so that a store classifies it
 * like one: `syscall` is `connect` while nothing had been sent yet, and `read` after that.
 */
export class DeadlineError extends Error {
  readonly code: string = 'ETIMEDOUT'
  readonly syscall: 'connect' | 'read'

  constructor(timeout: number, syscall: 'connect' | 'read') {
    super(
      syscall === 'connect'
        ? `No database connection became free within ${Math.round(timeout)} ms`
        : `The database did not answer within ${Math.round(timeout)} ms`,
    )
    this.syscall = syscall
  }

  override get name(): string {
    return 'DeadlineError'
  }
}

/** What to do about an answer that no caller waits for any more. */
export interface Abandonment<Value> {
  /** Called when time is up. */
  readonly giveUp?: () => void
  /** Called with an answer that came all the same, for what must be given back. */
  readonly late?: (value: Value) => void
  /** Whether the process may end meanwhile. Default: `false`. */
  readonly isIdle?: boolean
}

/**
 * Waits for an answer, but no longer than `timeout` milliseconds. One that came while the process was busy counts.
 *
 * @param syscall - What is being waited for: `connect` for a connection, `read` for an answer.
 * @throws {DeadlineError} Time is up.
 */
export function within<Value>(
  timeout: number,
  syscall: 'connect' | 'read' | (() => 'connect' | 'read'),
  answer: Promise<Value>,
  abandonment: Abandonment<Value> = {},
): Promise<Value> {
  return new Promise((resolve, reject) => {
    let over = false
    const giveUp = (): void => {
      over = true
      reject(new DeadlineError(timeout, typeof syscall === 'string' ? syscall : syscall()))
      abandonment.giveUp?.()
    }
    const alarm = setAlarm(timeout, giveUp)
    if (abandonment.isIdle === true) alarm.unref()
    const settle = (value: Value): void => {
      alarm.clear()
      if (over) abandonment.late?.(value)
      else resolve(value)
    }
    const fail = (error: unknown): void => {
      alarm.clear()
      reject(error)
    }
    answer.then(settle, fail)
  })
}

/** Counts down from now: how much of a timeout is left whenever it is asked. */
export function countdown(timeout: number): () => number {
  const end = realTime.now() + timeout
  return () => Math.max(0, end - realTime.now())
}
