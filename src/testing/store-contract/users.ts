import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { StoreHarness, StoreTest } from './harness.ts'
import {
  begin,
  DAY,
  entry,
  HOUR,
  lifetime,
  MINUTE,
  randomHash,
  recordOf,
  rotation,
  save,
  statusOf,
} from './samples.ts'

/** What spans sessions: a user's, all of them, the dead ones. */
export function userTests(test: StoreTest): void {
  listTests(test)
  destroyTests(test)
  countTests(test)
  purgeTests(test)
}

async function idsOf(store: StoreHarness['store'], userId: string): Promise<string[]> {
  return (await store.listByUser(userId)).map(({ id }) => id)
}

function listTests(test: StoreTest): void {
  test("lists a user's sessions, the most recently used first", async ({ store, elapse }) => {
    const first = await begin(store, { userId: 'ann' })
    await elapse(MINUTE)
    const second = await begin(store, { userId: 'ann' })
    await elapse(MINUTE)
    const third = await begin(store, { userId: 'ann' })
    assert.deepEqual(await idsOf(store, 'ann'), [third.id, second.id, first.id])
    await elapse(MINUTE)
    await store.touch({ id: first.id, lifetime })
    assert.deepEqual(await idsOf(store, 'ann'), [first.id, third.id, second.id])
  })

  test('lists of a session what a load tells, but for its entries', async ({ store, elapse }) => {
    const session = await begin(store, {
      userId: 'ann',
      ownIdleTimeout: HOUR,
      entries: [entry('a', '1')],
    })
    await elapse(MINUTE)
    const [listed, ...more] = await store.listByUser('ann')
    assert.deepEqual(more, [])
    const { entries: _, previousToken: __, ...summary } = await recordOf(store, session)
    assert.ok(listed && listed.now <= summary.now)
    assert.deepEqual({ ...listed, now: summary.now }, summary)
  })

  test('lists neither dead sessions nor those of others', async ({ store, elapse }) => {
    await begin(store, { userId: 'ann' })
    await elapse(2 * HOUR)
    await begin(store, { userId: 'bob' })
    await begin(store)
    const session = await begin(store, { userId: 'ann' })
    assert.deepEqual(await idsOf(store, 'ann'), [session.id])
    assert.deepEqual(await idsOf(store, 'eve'), [])
  })

  test('tells users apart exactly', async ({ store }) => {
    const names = [
      'ann',
      'Ann',
      'ann ',
      '',
      'null',
      '\u00e9',
      'e\u0301',
      "o'; --",
      '%',
      '😀'.repeat(50),
    ]
    const ids = new Map<string, string>()
    for (const userId of names) ids.set(userId, (await begin(store, { userId })).id)
    for (const [userId, id] of ids) assert.deepEqual(await idsOf(store, userId), [id], userId)
    for (const [userId, id] of ids) assert.deepEqual(await store.destroyByUser(userId, []), [id])
  })

  test('lists a session from the sign-in on', async ({ store }) => {
    const session = await begin(store)
    assert.deepEqual(await idsOf(store, 'ann'), [])
    const credentials = { ...rotation(session.secretHash), signIn: { userId: 'ann' } }
    await save(store, session, { credentials })
    assert.deepEqual(await idsOf(store, 'ann'), [session.id])
  })

  test('writes nothing by listing', async ({ store, elapse }) => {
    const session = await begin(store, { userId: 'ann' })
    await elapse(MINUTE)
    await store.listByUser('ann')
    const { createdAt, lastAccessAt } = await recordOf(store, session)
    assert.equal(lastAccessAt, createdAt)
  })
}

function destroyTests(test: StoreTest): void {
  test("ends a user's sessions but those named, and tells which", async ({ store }) => {
    const [kept, one, two] = [
      await begin(store, { userId: 'ann' }),
      await begin(store, { userId: 'ann' }),
      await begin(store, { userId: 'ann' }),
    ]
    const ended = await store.destroyByUser('ann', [kept.id])
    assert.deepEqual([...ended].sort(), [one.id, two.id].sort())
    assert.equal(await statusOf(store, kept), 'live')
    for (const session of [one, two]) assert.equal(await statusOf(store, session), 'unknown')
    assert.deepEqual(await store.destroyByUser('ann', [kept.id]), [])
  })

  test("ends all of a user's sessions when none is named", async ({ store }) => {
    const sessions = [await begin(store, { userId: 'ann' }), await begin(store, { userId: 'ann' })]
    const ended = await store.destroyByUser('ann', [])
    assert.deepEqual([...ended].sort(), sessions.map(({ id }) => id).sort())
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })

  test("leaves everybody else's sessions when it ends a user's", async ({ store }) => {
    const [ann, bob, stranger] = [
      await begin(store, { userId: 'ann' }),
      await begin(store, { userId: 'bob' }),
      await begin(store),
    ]
    assert.deepEqual(await store.destroyByUser('ann', [bob.id, randomUUID(), 'no-id']), [ann.id])
    assert.deepEqual(await store.destroyByUser('eve', []), [])
    for (const session of [bob, stranger]) assert.equal(await statusOf(store, session), 'live')
  })

  test("removes a user's dead sessions too, but tells only the live ones", async ({
    store,
    elapse,
  }) => {
    const dead = await begin(store, { userId: 'ann' })
    await elapse(2 * HOUR)
    const live = await begin(store, { userId: 'ann' })
    assert.deepEqual(await store.destroyByUser('ann', []), [live.id])
    assert.equal(await statusOf(store, dead), 'unknown')
  })

  test('finds a session by its user from the sign-in on', async ({ store }) => {
    const session = await begin(store)
    const to = randomHash()
    const credentials = { ...rotation(session.secretHash, to), signIn: { userId: 'ann' } }
    await save(store, session, { credentials })
    assert.deepEqual(await store.destroyByUser('ann', []), [session.id])
    assert.equal(await statusOf(store, session, to), 'unknown')
  })
}

function countTests(test: StoreTest): void {
  test('counts the live and the expired', async ({ store, elapse }) => {
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
    await begin(store)
    await begin(store, { userId: 'ann' })
    assert.deepEqual(await store.count(), { live: 2, expired: 0 })
    await elapse(2 * HOUR)
    await begin(store)
    assert.deepEqual(await store.count(), { live: 1, expired: 2 })
  })
}

function purgeTests(test: StoreTest): void {
  test('purges the dead and keeps the living', async ({ store, elapse }) => {
    const dead = await begin(store, { entries: [entry('a', '1')] })
    await elapse(2 * HOUR)
    const live = await begin(store)
    assert.equal(await store.purge(100), 1)
    assert.equal(await statusOf(store, dead), 'unknown')
    assert.equal(await statusOf(store, live), 'live')
    assert.deepEqual(await store.count(), { live: 1, expired: 0 })
    assert.equal(await store.purge(100), 0)
  })

  test('purges at most as many as it is told', async ({ store, elapse }) => {
    for (let made = 0; made < 5; made += 1) await begin(store)
    await elapse(2 * HOUR)
    assert.equal(await store.purge(2), 2)
    assert.deepEqual(await store.count(), { live: 0, expired: 3 })
    assert.equal(await store.purge(0), 0)
    assert.equal(await store.purge(2), 2)
    assert.equal(await store.purge(2), 1)
  })

  test('purges no session that was used after its first deadline was set', async ({
    store,
    elapse,
  }) => {
    const session = await begin(store)
    await elapse(50 * MINUTE)
    await store.touch({ id: session.id, lifetime: { idle: HOUR, purge: HOUR } })
    await elapse(20 * MINUTE)
    assert.equal(await store.purge(100), 0)
    assert.equal(await statusOf(store, session), 'live')
  })

  test('purges a dead session only once its purge bound is past', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(MINUTE)
    await store.touch({ id: session.id, lifetime: { idle: HOUR, purge: 3 * HOUR } })
    await elapse(2 * HOUR)
    assert.equal(await store.purge(100), 0)
    assert.equal(await statusOf(store, session), 'expired')
    await elapse(DAY)
    assert.equal(await store.purge(100), 1)
    assert.equal(await statusOf(store, session), 'unknown')
  })
}
