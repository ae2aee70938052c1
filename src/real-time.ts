/**
 * The timers of the platform and its monotonic clock, taken when this module loads.
 *
 * A test of an application may install fake ones, which it doesn't advance while it waits for a save, or advances
 * by an hour within one.
 */
export const realTime: {
  readonly setImmediate: typeof globalThis.setImmediate
  readonly clearImmediate: typeof globalThis.clearImmediate
  readonly setTimeout: typeof globalThis.setTimeout
  readonly clearTimeout: typeof globalThis.clearTimeout
  readonly setInterval: typeof globalThis.setInterval
  readonly clearInterval: typeof globalThis.clearInterval
  /** Milliseconds since some moment; no change of the system's clock reaches it. */
  now(): number
} = {
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  now: performance.now.bind(performance),
}
