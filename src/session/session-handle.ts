import { WriteRefusing } from './refuse-writes.ts'
import type { SessionState } from './session-state.ts'

/** On every session, so that another copy of this package recognizes it: `import` and `require` each load one. */
export const BRAND: unique symbol = Symbol.for('pg-sessions.session') as never

let use: (handle: SessionHandle) => SessionState

/** The base of a session. It keeps the state behind the session where only the session's methods reach it. */
export class SessionHandle extends WriteRefusing {
  readonly #use: () => SessionState

  /**
   * @internal Sessions come from `sessions.open` and the adapters.
   * @param use - Gives the state behind the session, and reads the cookie when first called.
   */
  constructor(use: () => SessionState) {
    super()
    this.#use = use
  }

  static {
    use = (handle) => handle.#use()
    Object.defineProperty(SessionHandle.prototype, BRAND, { value: true })
  }
}

/** The state behind a session. For the classes that make up `Session`. */
export function stateOf(handle: SessionHandle): SessionState {
  return use(handle)
}
