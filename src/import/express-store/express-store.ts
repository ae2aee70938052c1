import { ConfigurationError, StoreUnavailableError } from '../../errors.ts'
import { isPromise } from '../../options/is-promise.ts'
import type { Deadline } from '../../store/deadline.ts'

/** What is called of another store for express-session: connect-redis, connect-mongo, memorystore and the like. */
export interface ExpressStoreLike {
  get(sid: string, callback: (error?: unknown, session?: unknown) => void): unknown
  destroy(sid: string, callback: (error?: unknown) => void): unknown
}

/** @throws {ConfigurationError} If it is not a store of express-session. */
export function checkExpressStore(name: string, store: unknown): ExpressStoreLike {
  const { get, destroy } = Object(store) as Partial<ExpressStoreLike>
  if (typeof get === 'function' && typeof destroy === 'function') return store as ExpressStoreLike
  throw new ConfigurationError(
    `${name} must be a store of express-session, such as new RedisStore({ client }) of connect-redis.`,
  )
}

/** Calls another store, and waits for it no longer than the deadline: some never answer while they are offline. */
export class ExpressStore {
  readonly #store: ExpressStoreLike

  constructor(store: ExpressStoreLike) {
    this.#store = store
  }

  /** A session's content, or null. @throws {StoreUnavailableError} The other store failed, or was late. */
  get(sid: string, deadline: Deadline): Promise<unknown> {
    return this.#call('get', deadline, (done) => this.#store.get(sid, done))
  }

  /** @throws {StoreUnavailableError} The other store failed, or was late. */
  async destroy(sid: string, deadline: Deadline): Promise<void> {
    await this.#call('destroy', deadline, (done) => this.#store.destroy(sid, done))
  }

  #call(
    method: string,
    deadline: Deadline,
    call: (done: (error?: unknown, answer?: unknown) => void) => unknown,
  ): Promise<unknown> {
    const answer = new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        if (isMissingFile(error)) resolve(null)
        else reject(unavailable(method, `failed: ${describe(error)}`))
      }
      try {
        const returned = call((error, found) => (error ? fail(error) : resolve(found ?? null)))
        // Some stores also return a promise, of whatever library, which rejects as well.
        if (isPromise(returned)) returned.then(undefined, fail)
      } catch (error) {
        fail(error)
      }
    })
    return deadline.race(answer, () => unavailable(method, 'did not answer in time'))
  }
}

/** Stores of files say so of a session that is not there; a client says so of a socket that it cannot connect to. */
function isMissingFile(error: unknown): boolean {
  const { code, syscall } = Object(error) as { code?: unknown; syscall?: unknown }
  return code === 'ENOENT' && syscall !== 'connect'
}

function unavailable(method: string, problem: string): StoreUnavailableError {
  return new StoreUnavailableError(
    `The fallback store's ${method} ${problem}. Nothing was written here; trying again later may help.`,
    'none',
  )
}

/** Its class and code only: a message may hold an address with a password. */
function describe(error: unknown): string {
  const { name, code } = Object(error) as { name?: unknown; code?: unknown }
  return [name, code].filter((word) => typeof word === 'string').join(' ') || 'no reason given'
}
