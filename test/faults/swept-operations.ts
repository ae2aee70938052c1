import {
  bytes,
  changeOf,
  entry,
  lifetime,
  rotation,
} from '../../src/testing/store-contract/samples.ts'
import { sweptEntryOperations } from './swept-entries.ts'
import { IN_DOUBT, type SweptOperation, type SweptSession, statusOf } from './swept-session.ts'

const oldHash = new Uint8Array(32).fill(1)
const newHash = new Uint8Array(32).fill(2)
const ownHash = new Uint8Array(32).fill(3)
const grace = { duration: 60_000, successor: bytes('sealed') }

const guardOf = ({ id, userId }: SweptSession) => ({ id, userId, lifetime })

/** What `PostgresStore` does; a test compares it with `src/postgres/operations`. */
export const sweptOperations: Readonly<Record<string, SweptOperation>> = {
  load: {
    call: (store, { id }) =>
      store.load({ id, secretHashes: [oldHash] }, { largeEntries: 8192 }).then(statusOf),
    reads: true,
    shares: true,
  },
  'load by one of two hashes': {
    call: (store, { id }) => store.load({ id, secretHashes: [newHash, oldHash] }).then(statusOf),
    reads: true,
    shares: true,
  },
  fetch: {
    call: (store, { id, userId }) =>
      store
        .fetch?.({ id, userId, secretHashes: [oldHash], keys: [bytes('large')] })
        .then(statusOf) ?? Promise.resolve(),
    reads: true,
  },
  'list by user': {
    call: async (store, { userId }) => (await store.listByUser(userId ?? '')).length,
    reads: true,
  },
  'find live': {
    call: async (store, { id }) => (await store.findLive?.([id]))?.length,
    reads: true,
  },
  'find several live': {
    call: async (store, { id, fresh }) => (await store.findLive?.([id, fresh.id]))?.length,
    reads: true,
  },
  create: { call: (store, { fresh }) => store.create(fresh).then(statusOf), shares: true },
  save: {
    call: (store, session) => {
      const change = { written: [entry('a', '9')], deleted: [bytes('b')] }
      return store.save(changeOf(session, change)).then(statusOf)
    },
    shares: true,
  },
  'save what was noted': {
    call: (store, session) => {
      const change = { written: [entry('a', '9')], deleted: [bytes('b')], isTouchDue: false }
      return store.save(changeOf(session, change)).then(statusOf)
    },
    shares: true,
  },
  rotate: {
    call: (store, session) => {
      const written = [entry('a', '9')]
      const credentials = rotation(oldHash, newHash)
      return store.save(changeOf(session, { written, credentials })).then(statusOf)
    },
    shares: true,
  },
  renew: {
    call: (store, session) => {
      const { token } = rotation(oldHash, newHash)
      const credentials = { token: { ...token, grace } }
      return store.save(changeOf(session, { credentials })).then(statusOf)
    },
  },
  'sign in another user': {
    call: (store, session) => {
      const credentials = { ...rotation(oldHash, newHash), signIn: { userId: 'bob' } }
      return store.save(changeOf(session, { credentials })).then(statusOf)
    },
    ends: true,
    shares: true,
  },
  clear: {
    call: (store, session) =>
      store.replace({ ...guardOf(session), secretHashes: [oldHash] }, session.fresh).then(statusOf),
    ends: true,
  },
  ...sweptEntryOperations(guardOf),
  touch: {
    call: (store, { id }) =>
      store.touch({ id, lifetime: { idle: 7_200_000, purge: 9_000_000 }, overlap: 0 }),
    shares: true,
  },
  elevate: {
    call: (store, session) => {
      const credentials = { ...rotation(oldHash, newHash), factor: 'totp' }
      return store.save(changeOf(session, { credentials })).then(statusOf)
    },
    shares: true,
  },
  'sign in beyond a cap': {
    call: (store, { userId, fresh }) => {
      const cap = { count: 1, beyond: 'end-oldest' } as const
      return store.create({ ...fresh, userId, cap }).then(statusOf)
    },
    ends: true,
  },
  'end acting': {
    begin: async (store, session) => {
      const { fresh } = session
      await store.create({ ...fresh, userId: 'admin' })
      await store.create({ ...session, actor: { userId: 'admin', sessionId: fresh.id } })
    },
    call: (store, session) => {
      const own = session.fresh.id
      const acting = { ...guardOf(session), own, secretHashes: [oldHash], to: ownHash }
      return store.endActing?.(acting).then(statusOf) ?? Promise.resolve()
    },
    ends: true,
  },
  'destroy by token': {
    call: async (store, { id }) => {
      const ending = await store.destroy({ id, secretHashes: [oldHash] })
      return ending.status === 'gone' && ending.isInDoubt ? IN_DOUBT : ending.status
    },
    ends: true,
    shares: true,
  },
  'destroy by id': {
    call: (store, { id }) => store.destroy({ id }).then(statusOf),
    ends: true,
    shares: true,
  },
  'destroy by user': {
    call: async (store, { userId }) => (await store.destroyByUser(userId ?? '', [])).length,
    ends: true,
  },
  'destroy by tag': {
    call: async (store, { userId }) => (await store.destroyByTag?.(`of ${userId}`, []))?.length,
    ends: true,
  },
  tag: {
    call: (store, session) =>
      store.tag?.({ ...guardOf(session), added: ['b'], removed: ['a'] }).then(statusOf) ??
      Promise.resolve(),
  },
  describe: {
    call: (store, session) =>
      store.describe?.({ ...guardOf(session), device: '{"label":"a tablet"}' }).then(statusOf) ??
      Promise.resolve(),
  },
  'list by tag': {
    call: async (store, { userId }) => (await store.listByTag?.(`of ${userId}`))?.length,
    reads: true,
  },
  'replace values': {
    call: async (store, { id }) => {
      const value = { key: bytes('a'), expected: bytes('1'), value: bytes('9') }
      return store.replaceValues?.([{ sessionId: id, ...value }])
    },
  },
  'tag nothing': {
    call: (store, session) =>
      store
        .tag?.({ ...guardOf(session), added: [], removed: [] })
        .then((it) => JSON.stringify(it)) ?? Promise.resolve(),
    reads: true,
  },
  'sign in within a cap': {
    begin: (store, session) => store.create({ ...session, userId: `${session.userId} before` }),
    call: (store, session) => {
      const signIn = { userId: session.userId ?? '', cap: { count: 2, beyond: 'refuse' } } as const
      const guard = { ...session, userId: `${session.userId} before` }
      const credentials = { ...rotation(oldHash, newHash), signIn }
      return store.save(changeOf(guard, { credentials })).then(statusOf)
    },
  },
  'save with a lifetime of its own': {
    call: (store, session) => {
      const credentials = { ...rotation(oldHash, newHash), ownIdleTimeout: 7_200_000 }
      return store.save(changeOf(session, { credentials })).then(statusOf)
    },
    shares: true,
  },
  'begin to act as a user': {
    call: (store, { id, fresh }) => {
      const actor = { userId: 'admin', sessionId: id }
      return store.create({ ...fresh, userId: 'acted', actor }).then(statusOf)
    },
  },
  'load the user': {
    call: (store, session) =>
      store.loadUser?.({ ...guardOf(session), secretHashes: [oldHash] }).then(statusOf) ??
      Promise.resolve(),
    reads: true,
    joinsUser: true,
  },
  'read the user': {
    call: async (store, { userId }) => (await store.readUser?.(userId ?? ''))?.length,
    reads: true,
  },
  'read values': {
    call: async (store, { id }) => {
      const after = { sessionId: id, key: bytes('') }
      const values = await store.readValues?.({ after, limit: 1, bytes: 10 })
      return values?.length
    },
    reads: true,
  },
  'destroy a page': {
    call: async (store, { id }) => {
      const after = idBefore(id)
      const page = await store.destroyPage?.({ after, before: null, limit: 1 })
      return page?.ended.length
    },
    ends: true,
  },
  'destroy by id in a transaction': {
    call: (store, { id }, transaction) =>
      transaction(async (client) => {
        const { answer } = (await store.inTransaction?.(client).destroy({ id })) ?? {}
        return answer?.status
      }),
    ends: true,
    isTheirs: true,
  },
  'destroy by user in a transaction': {
    call: (store, { userId }, transaction) =>
      transaction(async (client) => {
        const done = await store.inTransaction?.(client).destroyByUser(userId ?? '', [])
        return done?.answer.length
      }),
    ends: true,
    isTheirs: true,
  },
  'destroy by tag in a transaction': {
    call: (store, { userId }, transaction) =>
      transaction(async (client) => {
        const done = await store.inTransaction?.(client).destroyByTag(`of ${userId}`, [])
        return done?.answer.length
      }),
    ends: true,
    isTheirs: true,
  },
  'look older': {
    call: async (store, { id }) => store.backdateSignIn?.(id, 3_600_000),
  },
  check: { call: async (store) => (await store.check?.())?.isReadOnly, reads: true },
  count: { call: async (store) => typeof (await store.count()).live, reads: true },
  purge: { call: (store) => store.purge(10), reads: true },
}

/** The greatest id below this one. */
function idBefore(id: string): string {
  const digits = (BigInt(`0x${id.replaceAll('-', '')}`) - 1n).toString(16).padStart(32, '0')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
