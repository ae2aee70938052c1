import { createSessions, MemoryStore, type Sessions, StoreUnavailableError } from 'pg-sessions'

/** Sessions that cannot be stored: every first save fails. */
export function unsavableSessions(): Sessions {
  const store = Object.assign(new MemoryStore(), {
    create: () => Promise.reject(new StoreUnavailableError('The store is away.', 'none')),
  })
  return createSessions({ store, log: false })
}

/** Sessions in memory. */
export function memorySessions(): Sessions {
  return createSessions({ store: new MemoryStore(), log: false })
}
