import { createSessions, MemoryStore, type Sessions, StoreUnavailableError } from 'pg-sessions'

/** Sessions that cannot be stored: the first save of each fails, so many times. */
export function unsavableSessions(times: number = Number.POSITIVE_INFINITY): Sessions {
  const store = new MemoryStore()
  const create = store.create.bind(store)
  let failures = 0
  store.create = (session) => {
    failures += 1
    if (failures > times) return create(session)
    return Promise.reject(new StoreUnavailableError('The store is away.', 'none'))
  }
  return createSessions({ store, log: false })
}

/** Sessions in memory. */
export function memorySessions(): Sessions {
  return createSessions({ store: new MemoryStore(), log: false })
}

/** Sessions in memory, where something happens before a session is stored for the first time. */
export function sessionsOnCreate(happens: () => Promise<unknown>): Sessions {
  const store = new MemoryStore()
  const create = store.create.bind(store)
  store.create = async (...args) => {
    await happens()
    return create(...args)
  }
  return createSessions({ store, log: false })
}
