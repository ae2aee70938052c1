import { randomUUID } from 'node:crypto'
import type { NewSession, SessionStore } from 'pg-sessions/store'
import {
  bytes,
  changeOf,
  entry,
  lifetime,
  rotation,
  sample,
} from '../../src/testing/store-contract/samples.ts'

/** A call on one of the sessions that are there before. */
type SweptCall = (store: SessionStore, session: SweptSession) => Promise<unknown>

/** A session that is there, and one that a call may begin. */
export interface SweptSession extends NewSession {
  readonly fresh: NewSession
}

/** What a call is about, and what it does. */
export interface SweptOperation {
  readonly call: SweptCall
  /** What is there before; only the session unless told otherwise. */
  readonly begin?: SweptCall
  /** Whether it changes nothing, so that a lost answer leaves nothing in doubt. */
  readonly reads?: true
  /** Whether it ends its session, so that sockets elsewhere are told. */
  readonly ends?: true
  /** Whether several of them share a statement. */
  readonly shares?: true
}

/** The answer to an ending of which an earlier attempt may have got through. */
export const IN_DOUBT = 'in doubt'

const LARGE = 'x'.repeat(20_000)
const oldHash = new Uint8Array(32).fill(1)
const newHash = new Uint8Array(32).fill(2)
const ownHash = new Uint8Array(32).fill(3)
const grace = { duration: 60_000, successor: bytes('sealed') }

/** The same session each time, but for its id: signed in, with three entries. */
export function sweptSession(): SweptSession {
  const userId = `user ${randomUUID()}`
  return {
    ...sample({
      userId,
      secretHash: oldHash,
      entries: [entry('a', '1'), entry('b', '2'), entry('large', LARGE)],
      tags: [`of ${userId}`],
    }),
    fresh: sample({ secretHash: newHash, entries: [entry('c', '3')] }),
  }
}

const guardOf = ({ id, userId }: SweptSession) => ({ id, userId, lifetime })

export const sweptOperations: Readonly<Record<string, SweptOperation>> = {
  load: {
    call: (store, { id }) =>
      store.load({ id, secretHashes: [oldHash] }, { largeEntries: 8192 }).then(statusOf),
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
  },
  clear: {
    call: (store, session) =>
      store.replace({ ...guardOf(session), secretHashes: [oldHash] }, session.fresh).then(statusOf),
    ends: true,
  },
  'update what is there': {
    call: (store, session) => {
      const update = { key: bytes('a'), expected: bytes('1'), value: bytes('9') }
      return store.update({ ...guardOf(session), ...update }).then(statusOf)
    },
  },
  'update what is not there': {
    call: (store, session) => {
      const update = { key: bytes('d'), expected: null, value: bytes('9') }
      return store.update({ ...guardOf(session), ...update }).then(statusOf)
    },
  },
  'update to nothing': {
    call: (store, session) => {
      const update = { key: bytes('a'), expected: bytes('1'), value: null }
      return store.update({ ...guardOf(session), ...update }).then(statusOf)
    },
  },
  take: {
    call: (store, session) =>
      store.take({ ...guardOf(session), key: bytes('a') }).then((result) => JSON.stringify(result)),
  },
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
  },
  'destroy by id': {
    call: (store, { id }) => store.destroy({ id }).then(statusOf),
    ends: true,
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
  purge: { call: (store) => store.purge(10), reads: true },
}

function statusOf({ status }: { readonly status: string }): string {
  return status
}
