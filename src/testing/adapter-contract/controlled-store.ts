import type { SessionStore } from '../../store/session-store.ts'

/** What a session asks of its store. */
export type Operation = Exclude<keyof SessionStore, 'name' | 'ready' | 'close'>

/** A call that waits on its way to the store. */
export interface HeldCall {
  /** Resolves once the call has come. */
  readonly reached: Promise<void>
  release(): void
}

type Around = (perform: () => Promise<unknown>) => Promise<unknown>

/** A real store whose calls are counted, and can be held back or failed. */
export class ControlledStore {
  readonly store: SessionStore
  /** The operations that were called, in order. */
  readonly calls: Operation[] = []
  readonly #plans: { readonly operation: Operation; readonly around: Around }[] = []

  constructor(store: SessionStore) {
    this.store = new Proxy(store, {
      get: (target, property: keyof SessionStore) => {
        const member: unknown = target[property]
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          const perform = (): Promise<unknown> => Reflect.apply(member, target, args)
          const isPlain = property === 'ready' || property === 'close'
          return isPlain ? perform() : this.#perform(property as Operation, perform)
        }
      },
    })
  }

  /** Holds back the next call of an operation before it reaches the store. */
  hold(operation: Operation): HeldCall {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const reached = new Promise<void>((reach) => {
      this.#plan(operation, async (perform) => {
        reach()
        await released
        return perform()
      })
    })
    return { reached, release }
  }

  /** Fails the next call of an operation. */
  fail(operation: Operation, error: Error): void {
    this.#plan(operation, async () => {
      throw error
    })
  }

  /** Resolves once the next call of an operation has been done. */
  next(operation: Operation): Promise<void> {
    return new Promise((done) => {
      this.#plan(operation, async (perform) => {
        try {
          return await perform()
        } finally {
          done()
        }
      })
    })
  }

  #plan(operation: Operation, around: Around): void {
    this.#plans.push({ operation, around })
  }

  async #perform(operation: Operation, perform: () => Promise<unknown>): Promise<unknown> {
    this.calls.push(operation)
    const index = this.#plans.findIndex((plan) => plan.operation === operation)
    const plan = index === -1 ? undefined : this.#plans.splice(index, 1)[0]
    return plan === undefined ? perform() : plan.around(perform)
  }
}
