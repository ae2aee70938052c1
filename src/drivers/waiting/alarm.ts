import { realTime } from '../../real-time.ts'

/** A timer set to more than this fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Something that will happen when time is up. */
export interface Alarm {
  clear(): void
  /** Lets the process end before that. */
  unref(): void
}

/**
 * Calls `ring` after so many milliseconds and one turn of the event loop.
 *
 * After a process was busy, its timers fire before its sockets are read. In the turn between, an answer that has
 * arrived meanwhile can still clear the alarm.
 */
export function setAlarm(milliseconds: number, ring: () => void): Alarm {
  let turn: NodeJS.Immediate | undefined
  const timer = realTime.setTimeout(
    () => {
      turn = realTime.setImmediate(ring)
    },
    Math.min(milliseconds, LONGEST_TIMER),
  )
  return {
    clear() {
      realTime.clearTimeout(timer)
      if (turn !== undefined) realTime.clearImmediate(turn)
    },
    unref() {
      timer.unref()
    },
  }
}
