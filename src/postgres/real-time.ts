/**
 * The timers of the platform, taken when this module loads.
 *
 * A test of an application may install fake timers, which it doesn't advance while it waits for a save.
 */
export const realTime: {
  readonly setImmediate: typeof globalThis.setImmediate
  readonly setTimeout: typeof globalThis.setTimeout
  readonly clearTimeout: typeof globalThis.clearTimeout
  readonly setInterval: typeof globalThis.setInterval
  readonly clearInterval: typeof globalThis.clearInterval
} = {
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
}
