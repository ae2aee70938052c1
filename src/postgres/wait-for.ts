import { realTime } from '../real-time.ts'

/** Waits for a while, or until the signal ends it. Keeps no process alive. */
export function waitFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      realTime.clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = realTime.setTimeout(end, milliseconds)
    timer.unref()
    signal.addEventListener('abort', end)
  })
}
