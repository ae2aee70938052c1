/** How far behind a call's own deadline it may end: its batch and its retries look at the clock now and then. */
const SLACK = 500

/**
 * Tells when a call has not ended although its deadline passed long ago.
 *
 * By order, not by speed: a timer that was set after the call's own, for later, has fired, and so have two turns of
 * the event loop. A slow machine delays both alike.
 */
export async function watchDeadline<Result>(
  call: Promise<Result>,
  deadline: number,
  onLate: () => void,
): Promise<Result> {
  const timer = setTimeout(() => {
    setImmediate(() => setImmediate(onLate))
  }, deadline + SLACK)
  try {
    return await call
  } finally {
    clearTimeout(timer)
    // What was to be told in the same turn is not told any more.
    onLate = () => {}
  }
}
