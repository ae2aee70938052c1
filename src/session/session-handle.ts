import { WriteRefusing } from './refuse-writes.ts'
import type { SessionState } from './session-state.ts'

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
  }
}

/** The state behind a session. For the classes that make up `Session`. */
export function stateOf(handle: SessionHandle): SessionState {
  return use(handle)
}
