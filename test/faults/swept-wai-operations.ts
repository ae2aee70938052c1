import type { CredentialChange } from 'pg-sessions/store'
import { bytes, changeOf, entry, lifetime } from '../../src/testing/store-contract/samples.ts'
import { sweptEntryOperations } from './swept-entries.ts'
import { IN_DOUBT, type SweptOperation, type SweptSession, statusOf } from './swept-session.ts'

const guardOf = ({ id }: SweptSession) => ({ id, userId: null, lifetime })

const change = { written: [entry('a', '9')], deleted: [bytes('b')] }

function newKey({ secretHash, nextHash }: SweptSession): CredentialChange {
  return { token: { from: [secretHash], to: nextHash } }
}

/** What `WaiStore` does; a test compares it with `src/haskell/operations`. */
export const sweptWaiOperations: Readonly<Record<string, SweptOperation>> = {
  load: {
    call: (store, { secretHash }) =>
      store.load({ id: '', secretHashes: [secretHash] }).then(statusOf),
    reads: true,
    shares: true,
  },
  create: { call: (store, { fresh }) => store.create(fresh).then(statusOf) },
  save: { call: (store, session) => store.save(changeOf(session, change)).then(statusOf) },
  'save under a new key': {
    call: (store, session) => {
      const credentials = newKey(session)
      return store.save(changeOf(session, { ...change, credentials })).then(statusOf)
    },
  },
  clear: {
    call: (store, session) => {
      const secretHashes = [session.secretHash]
      return store.replace({ ...guardOf(session), secretHashes }, session.fresh).then(statusOf)
    },
  },
  ...sweptEntryOperations(guardOf),
  touch: { call: (store, { id }) => store.touch({ id, lifetime }), shares: true },
  'destroy by token': {
    call: async (store, { id, secretHash }) => {
      const ending = await store.destroy({ id, secretHashes: [secretHash] })
      return ending.status === 'gone' && ending.isInDoubt ? IN_DOUBT : ending.status
    },
  },
  'destroy by id': { call: (store, { id }) => store.destroy({ id }).then(statusOf) },
  count: { call: async (store) => typeof (await store.count()).live, reads: true },
  purge: { call: (store) => store.purge(10), reads: true },
}
