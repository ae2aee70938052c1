/** State that all adapters made of one `sessions` object share. It lives as long as that object. */
export class SharedState<State> {
  readonly #make: () => State
  readonly #states = new WeakMap<object, State>()

  /** @param make - Makes the state of a `sessions` object when an adapter first asks for it. */
  constructor(make: () => State) {
    this.#make = make
  }

  of(sessions: object): State {
    const known = this.#states.get(sessions)
    if (known !== undefined) return known
    const state = this.#make()
    this.#states.set(sessions, state)
    return state
  }
}
