import { realTime } from '../real-time.ts'

/** Doubles from about 10 ms, and varies, so that two importers do not keep in step. */
export function pauseBeforeRetry(attempt: number): Promise<void> {
  return new Promise((resolve) =>
    realTime.setTimeout(resolve, 2 ** attempt * (5 + 5 * Math.random())),
  )
}
