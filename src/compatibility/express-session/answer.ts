/** What middleware is told when a call is done. */
export type Callback<Answer> = (error: unknown, answer?: Answer) => void

/**
 * Calls back when the work is done: once, and from outside of every promise and `try`, so that what a
 * handler throws is the handler's and changes nothing here.
 *
 * @param onUnheard - Told of a failure that there is no callback for.
 */
export function answer<Answer>(
  work: Promise<Answer>,
  callback: Callback<Answer> | undefined,
  onUnheard: (error: unknown) => void,
): void {
  work.then(
    (result) => {
      if (callback) process.nextTick(callback, null, result)
    },
    (error: unknown) => {
      if (callback) process.nextTick(callback, error)
      else onUnheard(error)
    },
  )
}
