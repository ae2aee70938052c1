import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Begun,
  begin,
  bytes,
  changeOf,
  entry,
  lifetime,
  rotation,
  sample,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { type Damage, damages, damagingDriver } from './damaging-driver.ts'

let harness: PostgresStoreHarness
let ann: Begun

beforeAll(async () => {
  harness = await openPostgresStore()
  ann = await begin(harness.store, { userId: 'ann', entries: [entry('a', '1'), entry('b', '2')] })
})
afterAll(() => harness.dispose())

/** A store whose driver damages every answer. */
function openDamaged(damage: Damage): { store: PostgresStore; refused: unknown[] } {
  const { driver, refused } = damagingDriver(fromPg(harness.pool), damage)
  return { store: new PostgresStore({ driver, migrate: 'off' }), refused }
}

const update = { lifetime, key: bytes('c') }

const reads: Readonly<Record<string, (store: SessionStore) => Promise<unknown>>> = {
  load: (store) => store.load({ id: ann.id, secretHashes: [ann.secretHash] }),
  fetch: async (store) =>
    store.fetch?.({ ...ann, secretHashes: [ann.secretHash], keys: [bytes('a')] }),
  listByUser: (store) => store.listByUser('ann'),
  findLive: (store) => store.findLive?.([ann.id]) ?? Promise.resolve(),
  count: (store) => store.count(),
  // It lists the sessions before it ends them.
  destroyByUser: (store) => store.destroyByUser('bob', []),
}

const writes: Readonly<Record<string, (store: SessionStore) => Promise<unknown>>> = {
  create: (store) => store.create(sample()),
  save: (store) => store.save(changeOf(ann, { written: [entry('a', '1')] })),
  rotate: (store) => store.save(changeOf(ann, { credentials: rotation(ann.secretHash) })),
  replace: (store) => store.replace({ ...sample(), secretHashes: [] }, sample()),
  update: (store) => store.update({ ...ann, ...update, expected: null, value: bytes('1') }),
  take: (store) => store.take({ ...ann, ...update }),
  destroy: (store) => store.destroy({ id: sample().id, secretHashes: [sample().secretHash] }),
  purge: (store) => store.purge(1),
}

describe.each(damages)('an answer that %s', (_, damage) => {
  test.each(Object.entries(reads))('is not an answer to %s', async (_name, call) => {
    const { store, refused } = openDamaged(damage)
    const answer = await call(store).then(JSON.stringify, (error) => error)
    expect(answer).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
    expect(refused.length).toBeGreaterThan(1)
  })

  test.each(Object.entries(writes))('leaves a %s in doubt', async (_name, call) => {
    const { store, refused } = openDamaged(damage)
    const answer = await call(store).then(JSON.stringify, (error) => error)
    expect(answer).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'unknown' })
    expect(refused.length).toBeGreaterThan(0)
  })

  test('is not an answer to loads that share a statement', async () => {
    const { store } = openDamaged(damage)
    const token = { id: ann.id, secretHashes: [ann.secretHash] }
    const answers = await Promise.allSettled([1, 2, 3].map(() => store.load(token)))
    expect(answers.map(({ status }) => status)).toEqual(Array(3).fill('rejected'))
  })
})

test('an answer that is cut off is not an answer to load', async () => {
  const { id, secretHash } = await begin(harness.store, { entries: [entry('a', '1')] })
  for (const length of [4, 9, 100]) {
    const { store } = openDamaged(([row]) => [
      { proof: row?.proof ?? '', answer: (row?.answer ?? '').slice(0, -length) },
    ])
    const load = store.load({ id, secretHashes: [secretHash] })
    await expect(load).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await expect(reads.count?.(store)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  }
})

test('an answer that goes on where it should end is not an answer', async () => {
  const begun = await begin(harness.store, { entries: [entry('a', '1')] })
  const { store } = openDamaged(([row]) => {
    const answer = Buffer.from(`${row?.answer ?? ''}`, 'base64')
    return [{ proof: row?.proof ?? '', answer: Buffer.concat([answer, answer]).toString('base64') }]
  })
  const save = store.save(changeOf(begun))
  await expect(save).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'unknown' })
})

test('a read whose answer went astray is asked again', async () => {
  let isFirst = true
  const { store } = openDamaged((rows) => {
    const damaged = isFirst ? [] : rows
    isFirst = false
    return damaged
  })
  const bob = await begin(harness.store, { userId: 'bob' })
  const answer = await store.load({ id: bob.id, secretHashes: [bob.secretHash] })
  expect(answer).toMatchObject({ status: 'live', record: { userId: 'bob' } })
})

test('a driver that does not know of the check is not believed either', async () => {
  const driver = fromPg(harness.pool)
  const store = new PostgresStore({
    driver: {
      ...driver,
      query: async (statement, { timeout }) => {
        await driver.query(statement, { timeout })
        return []
      },
    },
    migrate: 'off',
  })
  await expect(reads.load?.(store)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
})
