import { WaiStore } from 'pg-sessions/haskell'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { describe, expect, test } from 'vitest'
import { bytes, entry, lifetime } from '../../src/testing/store-contract/samples.ts'
import { type Damage, damages, damagingDriver } from '../postgres/damaging-driver.ts'
import { shareDatabase } from './shared-database.ts'

const shared = shareDatabase()

function openDamaged(damage: Damage): { store: WaiStore; refused: unknown[] } {
  const { driver, refused } = damagingDriver(fromPg(shared.pool), damage)
  return { store: new WaiStore({ driver, timeout: '1h', migrate: 'off' }), refused }
}

const token = (letter: string) => ({ id: '', secretHashes: [Buffer.from(letter.repeat(48))] })
const guard = { id: '1', userId: null, lifetime }
const newSession = {
  id: '',
  secretHash: Buffer.from('b'.repeat(48)),
  userId: null,
  ownIdleTimeout: null,
  lifetime,
  absolute: Number.POSITIVE_INFINITY,
  entries: [entry('a', '1')],
}
const change = { ...guard, written: [entry('a', '1')], deleted: [bytes('b')] }
const update = { ...guard, key: bytes('a') }

const reads: Readonly<Record<string, (store: SessionStore) => Promise<unknown>>> = {
  load: (store) => store.load(token('a')),
  count: (store) => store.count(),
  // It looks for the session first, and goes no further.
  'destroy by id': (store) => store.destroy({ id: '1' }),
}

const writes: Readonly<Record<string, (store: SessionStore) => Promise<unknown>>> = {
  create: (store) => store.create(newSession),
  save: (store) => store.save(change),
  rotate: (store) =>
    store.save({
      ...change,
      credentials: { token: { from: token('a').secretHashes, to: newSession.secretHash } },
    }),
  replace: (store) => store.replace({ ...guard, ...token('a'), id: '1' }, newSession),
  'update of an absent entry': (store) =>
    store.update({ ...update, expected: null, value: bytes('1') }),
  'update of an entry': (store) =>
    store.update({ ...update, expected: bytes('1'), value: bytes('2') }),
  'removal of an entry': (store) => store.update({ ...update, expected: bytes('1'), value: null }),
  take: (store) => store.take(update),
  touch: (store) => store.touch({ id: '1', lifetime }),
  destroy: (store) => store.destroy({ ...token('a'), id: '1' }),
  purge: (store) => store.purge(1),
}

describe.each(damages)('an answer that %s', (_, damage) => {
  test('is an answer to no call on the tables of wai-session-postgresql', async () => {
    for (const [calls, outcome] of [
      [reads, 'none'],
      [writes, 'unknown'],
    ] as const) {
      for (const [name, call] of Object.entries(calls)) {
        const { store, refused } = openDamaged(damage)
        const answer = await call(store).then(JSON.stringify, (error) => error)
        expect(answer, name).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome })
        expect(refused.length, name).toBeGreaterThan(0)
      }
    }
  })

  test('is not an answer to loads that share a statement', async () => {
    const { store } = openDamaged(damage)
    const loads = ['a', 'b', 'c'].map((letter) => store.load(token(letter)))
    const answers = await Promise.allSettled(loads)
    expect(answers.map(({ status }) => status)).toEqual(Array(3).fill('rejected'))
  })
})
