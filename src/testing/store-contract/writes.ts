import type { Lifetime, SessionStore, TokenPrecondition } from '../../store/session-store.ts'
import { bytes, changeOf, entry, lifetime, sample } from './samples.ts'

/** A write that names a session and its user, and so must refuse one that is gone. */
export interface GuardedWrite {
  readonly name: string
  /** Writes (or takes) the key `late`, or begins a successor; answers how it went. */
  run(store: SessionStore, guard: TokenPrecondition): Promise<string>
}

/** Every write that counts as an access. */
export interface Access {
  readonly name: string
  run(store: SessionStore, guard: TokenPrecondition, lifetime: Lifetime): Promise<unknown>
}

const key = bytes('late')

export const accesses: readonly Access[] = [
  { name: 'touch', run: (store, { id }, lifetime) => store.touch({ id, lifetime }) },
  { name: 'save', run: (store, guard, lifetime) => store.save(changeOf(guard, { lifetime })) },
  {
    name: 'update',
    run: (store, { id, userId, version }, lifetime) =>
      store.update({ id, userId, version, lifetime, key, expected: null, value: null }),
  },
  {
    name: 'take',
    run: (store, { id, userId, version }, lifetime) =>
      store.take({ id, userId, version, lifetime, key }),
  },
]

export const guardedWrites: readonly GuardedWrite[] = [
  {
    name: 'save',
    run: async (store, guard) =>
      (await store.save(changeOf(guard, { written: [entry('late', 'x')] }))).status,
  },
  {
    name: 'save after a noted access',
    run: async (store, guard) => {
      const change = changeOf(guard, { written: [entry('late', 'x')], isTouchDue: false })
      return (await store.save(change)).status
    },
  },
  {
    name: 'update',
    run: async (store, { id, userId, version }) => {
      const update = { id, userId, version, lifetime, key, expected: null }
      return (await store.update({ ...update, value: bytes('x') })).status
    },
  },
  {
    name: 'take',
    run: async (store, { id, userId, version }) =>
      (await store.take({ id, userId, version, lifetime, key })).status,
  },
  {
    name: 'replace',
    run: async (store, guard) => {
      const { status } = await store.replace(guard, sample())
      return status === 'superseded' ? 'gone' : status
    },
  },
]
