import type { SessionStore } from 'pg-sessions/store'

type Operation = Exclude<keyof SessionStore, 'name' | 'ready' | 'close'>

/** A call that waits on its way to the store. */
interface HeldCall {
  /** Resolves once the call has come. */
  readonly reached: Promise<void>
  /** Lets it go on, or fails it. */
  release(failure?: Error): void
}

/** A store whose calls are seen, and can be held back or failed. */
export interface WatchedStore {
  readonly store: SessionStore
  /** The operations that were called, in order. */
  readonly calls: Operation[]
  /** Resolves once no call is under way, so that accesses are noted. */
  settled(): Promise<void>
  /** Holds back the next call of an operation before it reaches the store. */
  hold(operation: Operation): HeldCall
  /** Fails the next call of an operation; with `after`, once the store has done it. */
  fail(operation: Operation, error: Error, when?: 'before' | 'after'): void
}

interface Plan {
  readonly operation: Operation
  before(): Promise<void>
  after(): void
}

/** Watches a real store. Everything that is not held back or failed goes through as it is. */
export function watchStore(store: SessionStore): WatchedStore {
  const calls: Operation[] = []
  const plans: Plan[] = []
  const underWay = new Set<Promise<unknown>>()

  const watched = new Proxy(store, {
    get(target, property: keyof SessionStore) {
      const member: unknown = target[property]
      if (typeof member !== 'function' || property in Object.prototype) return member
      const perform = (args: unknown[]): Promise<unknown> => Reflect.apply(member, target, args)
      if (property === 'ready' || property === 'close') return (...args: unknown[]) => perform(args)
      const performAsPlanned = async (args: unknown[]): Promise<unknown> => {
        const index = plans.findIndex(({ operation }) => operation === property)
        const plan = index === -1 ? undefined : plans.splice(index, 1)[0]
        await plan?.before()
        const result = await perform(args)
        plan?.after()
        return result
      }
      return (...args: unknown[]) => {
        calls.push(property as Operation)
        const call = performAsPlanned(args)
        underWay.add(call)
        const isOver = (): unknown => underWay.delete(call)
        call.then(isOver, isOver)
        return call
      }
    },
  })

  return {
    store: watched,
    calls,
    async settled() {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
    hold(operation) {
      let release: HeldCall['release'] = () => undefined
      const released = new Promise<void>((resolve, reject) => {
        release = (failure) => (failure === undefined ? resolve() : reject(failure))
      })
      const reached = new Promise<void>((reach) => {
        const before = (): Promise<void> => {
          reach()
          return released
        }
        plans.push({ operation, before, after() {} })
      })
      return { reached, release }
    },
    fail(operation, error, when = 'before') {
      const fail = (): never => {
        throw error
      }
      plans.push({
        operation,
        before: async () => (when === 'before' ? fail() : undefined),
        after: () => (when === 'after' ? fail() : undefined),
      })
    },
  }
}
