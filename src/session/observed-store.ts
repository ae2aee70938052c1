import { SessionsClosedError, StoreUnavailableError } from '../errors.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { SessionEventHub } from './session-events.ts'

/** A store that raises an event when it cannot be asked, and takes no calls once it is closed. */
export function observeStore(store: SessionStore, events: SessionEventHub): SessionStore {
  let isClosed = false

  const observed = async <Result>(
    operation: string,
    call: () => Promise<Result>,
  ): Promise<Result> => {
    if (isClosed) throw new SessionsClosedError()
    try {
      return await call()
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        events.emit('storeUnavailable', { operation, error })
      }
      throw error
    }
  }

  return {
    name: store.name,
    ready: () => observed('ready', () => store.ready()),
    load: (proof) => observed('load', () => store.load(proof)),
    create: (session) => observed('create', () => store.create(session)),
    save: (change) => observed('save', () => store.save(change)),
    replace: (ended, successor) => observed('replace', () => store.replace(ended, successor)),
    update: (update) => observed('update', () => store.update(update)),
    take: (entry) => observed('take', () => store.take(entry)),
    touch: (touch) => observed('touch', () => store.touch(touch)),
    destroy: (id, owner) => observed('destroy', () => store.destroy(id, owner)),
    listByUser: (userId) => observed('listByUser', () => store.listByUser(userId)),
    destroyByUser: (userId, except) =>
      observed('destroyByUser', () => store.destroyByUser(userId, except)),
    count: () => observed('count', () => store.count()),
    purge: (limit) => observed('purge', () => store.purge(limit)),
    close: async () => {
      isClosed = true
      await store.close()
    },
  }
}
