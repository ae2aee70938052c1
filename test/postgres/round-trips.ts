import type { Session, Sessions } from 'pg-sessions'

/** What the sessions of these tests hold. */
export interface Visit {
  basket: string[]
  notice: string
  visits: number
}

/** Who makes the request. */
type Visitor =
  /** Shows no cookie. */
  | 'a new visitor'
  /** Shows something that is not a token. */
  | 'a forger'
  /** Shows a well-formed token that opens nothing. */
  | 'a stranger'
  /** Has a session with a basket and a notice, accessed a moment ago. */
  | 'a visitor'
  /** The same, and the access before was longer ago than the touch interval. */
  | 'a returning visitor'
  /** Has a session and is signed in as ann. */
  | 'a user'
  /** Is signed in as ann, in sessions that join the user. */
  | 'a joined user'
  /** Has a session with a basket of 9 kB and a notice. */
  | 'a hoarder'

/** One line of the table: what a request does, and the statements that this takes, in order. */
export interface RoundTrips {
  readonly who: Visitor
  readonly does: string
  readonly request: (session: Session<Visit>) => unknown
  readonly statements: readonly string[]
}

/** The contract: each statement is one round trip, and there are no others. */
export const roundTrips: readonly RoundTrips[] = [
  {
    who: 'a visitor',
    does: 'does not use the session',
    request: () => {},
    statements: [],
  },
  {
    who: 'a new visitor',
    does: 'reads',
    request: (session) => session.get('basket'),
    statements: [],
  },
  {
    who: 'a new visitor',
    does: 'takes, deletes, rotates, clears, destroys',
    request: async (session) => {
      await session.take('notice')
      session.delete('basket')
      session.rotate()
      session.clear()
      session.destroy()
    },
    statements: [],
  },
  {
    who: 'a forger',
    does: 'reads',
    request: (session) => session.get('basket'),
    statements: [],
  },
  {
    who: 'a stranger',
    does: 'reads',
    request: (session) => session.get('basket'),
    statements: ['load'],
  },
  {
    who: 'a visitor',
    does: 'reads one key',
    request: (session) => session.get('basket'),
    statements: ['load'],
  },
  {
    who: 'a visitor',
    does: 'reads many times, some of them at once',
    request: async (session) => {
      await Promise.all([session.get('basket'), session.has('notice'), session.load()])
      await session.entries()
      return session.data
    },
    statements: ['load'],
  },
  {
    who: 'a hoarder',
    does: 'reads a small value',
    request: async (session) => {
      await session.get('notice')
      await session.has('basket')
    },
    statements: ['load'],
  },
  {
    who: 'a hoarder',
    does: 'reads a large value many times, some of them at once',
    request: async (session) => {
      await Promise.all([session.get('basket'), session.get('notice'), session.get('basket')])
      await session.get('basket')
    },
    statements: ['load', 'fetch'],
  },
  {
    who: 'a hoarder',
    does: 'reads everything first',
    request: async (session) => {
      await session.load()
      await session.get('basket')
      return session.data
    },
    statements: ['load'],
  },
  {
    who: 'a hoarder',
    does: 'reads a small value, then everything',
    request: async (session) => {
      await session.get('notice')
      await session.entries()
      return session.data
    },
    statements: ['load', 'fetch'],
  },
  {
    who: 'a hoarder',
    does: 'takes a large value',
    request: (session) => session.take('basket'),
    statements: ['load', 'take'],
  },
  {
    who: 'a hoarder',
    does: 'updates a large value',
    request: (session) => session.update('basket', (basket = []) => [...basket, 'pear']),
    statements: ['load', 'fetch', 'update_present'],
  },
  {
    who: 'a hoarder',
    does: 'replaces a large value, and reads it',
    request: async (session) => {
      session.set('basket', ['apple'])
      await session.get('basket')
    },
    statements: ['load', 'save_noted'],
  },
  {
    who: 'a returning visitor',
    does: 'reads, which notes the access beside the response',
    request: (session) => session.get('basket'),
    statements: ['load', 'touch'],
  },
  {
    who: 'a new visitor',
    does: 'sets a first value',
    request: (session) => session.set('basket', ['apple']),
    statements: ['create'],
  },
  {
    who: 'a new visitor',
    does: 'updates a first value',
    request: (session) => session.update('visits', (visits = 0) => visits + 1),
    statements: ['create'],
  },
  {
    who: 'a new visitor',
    does: 'sets values and signs in',
    request: async (session) => {
      session.set('basket', ['apple'])
      await session.signIn('ann')
    },
    statements: ['create'],
  },
  {
    who: 'a visitor',
    does: 'sets and deletes any number of keys',
    request: (session) => {
      session.set('basket', ['apple'])
      session.set('visits', 1)
      session.delete('notice')
    },
    statements: ['load', 'save_noted'],
  },
  {
    who: 'a returning visitor',
    does: 'sets a key, which notes the access too',
    request: (session) => session.set('visits', 1),
    statements: ['load', 'save'],
  },
  {
    who: 'a visitor',
    does: 'deletes a key that is not there',
    request: (session) => session.delete('visits'),
    statements: ['load'],
  },
  {
    who: 'a visitor',
    does: 'updates a key',
    request: (session) => session.update('basket', (basket = []) => [...basket, 'pear']),
    statements: ['load', 'update_present'],
  },
  {
    who: 'a visitor',
    does: 'updates a key that is not there',
    request: (session) => session.update('visits', (visits = 0) => visits + 1),
    statements: ['load', 'update_absent'],
  },
  {
    who: 'a visitor',
    does: 'removes a key by an update',
    request: (session) => session.update('basket', () => undefined),
    statements: ['load', 'update_removed'],
  },
  {
    who: 'a visitor',
    does: 'takes a notice',
    request: (session) => session.take('notice'),
    statements: ['load', 'take'],
  },
  {
    who: 'a user',
    does: 'takes a notice that is not there',
    request: (session) => session.take('notice'),
    statements: ['load'],
  },
  {
    who: 'a visitor',
    does: 'rotates, and sets a key',
    request: (session) => {
      session.rotate()
      session.set('visits', 1)
    },
    statements: ['load', 'save_credentials'],
  },
  {
    who: 'a visitor',
    does: 'signs in with a lifetime of their own',
    request: (session) => session.signIn('ann', { lifetime: { idleTimeout: '30d' } }),
    statements: ['load', 'save_credentials', 'announce'],
  },
  {
    who: 'a joined user',
    does: 'reads the session and the user',
    request: async (session) => {
      await session.load()
      return session.user
    },
    statements: ['load'],
  },
  {
    who: 'a joined user',
    does: 'reads the user again',
    request: (session) => session.reloadUser(),
    statements: ['load', 'load_user'],
  },
  {
    who: 'a joined user',
    does: 'signs in again, and reads the user',
    request: async (session) => {
      await session.signIn('ann')
      await session.load()
      return session.user
    },
    statements: ['load', 'save_credentials', 'load_user'],
  },
  {
    who: 'a user',
    does: 'signs in again',
    request: (session) => session.signIn('ann'),
    statements: ['load', 'save_credentials'],
  },
  {
    who: 'a user',
    does: 'signs in as another user',
    request: (session) => session.signIn('bob'),
    statements: ['load', 'replace', 'announce'],
  },
  {
    who: 'a visitor',
    does: 'clears, and sets a key',
    request: (session) => {
      session.clear()
      session.set('basket', [])
    },
    statements: ['load', 'replace', 'announce'],
  },
  {
    who: 'a user',
    does: 'signs out',
    request: (session) => session.signOut(),
    statements: ['load', 'destroy', 'announce'],
  },
  {
    who: 'a user',
    does: 'destroys the session',
    request: (session) => session.destroy(),
    statements: ['load', 'destroy', 'announce'],
  },
]

/** The same for what is asked across sessions. */
export const roundTripsAcross: readonly {
  readonly call: string
  /** Comes before it, and is not counted. */
  readonly before?: (sessions: Sessions<Visit>) => Promise<string>
  readonly make: (sessions: Sessions<Visit>, id: string) => Promise<unknown>
  readonly statements: readonly string[]
}[] = [
  {
    call: 'listByUser',
    make: (sessions) => sessions.listByUser('ann'),
    statements: ['list_by_user'],
  },
  {
    call: 'destroyById',
    before: async (sessions) => {
      const { session } = sessions.open(null)
      await session.signIn('ann')
      return session.id ?? ''
    },
    make: (sessions, id) => sessions.destroyById(id),
    statements: ['look_up', 'destroy', 'announce'],
  },
  {
    call: 'destroyById of a session that is not there',
    make: (sessions) => sessions.destroyById('01890000-0000-7000-8000-000000000000'),
    statements: ['look_up'],
  },
  {
    call: 'destroyById of something that is not an id',
    make: (sessions) => sessions.destroyById('ann'),
    statements: [],
  },
  {
    call: 'destroyByUser',
    make: (sessions) => sessions.destroyByUser('ann'),
    statements: ['list_by_user', 'destroy_by_user'],
  },
  {
    call: 'listByTag',
    make: (sessions) => sessions.listByTag('tenant:7'),
    statements: ['list_by_tag'],
  },
  {
    call: 'destroyByTag',
    make: (sessions) => sessions.destroyByTag('tenant:7'),
    statements: ['list_by_tag', 'destroy_by_tag'],
  },
  {
    call: 'destroyAll, for each batch',
    make: (sessions) => sessions.destroyAll(),
    statements: ['destroy_page'],
  },
  {
    call: 'exportUser',
    make: (sessions) => sessions.exportUser('ann'),
    statements: ['read_user'],
  },
  { call: 'count', make: (sessions) => sessions.count(), statements: ['count'] },
  {
    call: 'purge, for each batch',
    make: (sessions) => sessions.purge(),
    statements: ['purge'],
  },
]
