import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import {
  assertClose,
  begin,
  contentOf,
  entry,
  guardOf,
  HOUR,
  MINUTE,
  randomHash,
  recordOf,
  sample,
  save,
  statusOf,
  textsOf,
} from './samples.ts'

/** Creating, loading and replacing sessions. */
export function recordTests(test: StoreTest): void {
  test('has a name for messages', async ({ store }) => {
    assert.match(store.name, /^\S+$/)
  })

  test('gives back what a session was created with', async ({ store }) => {
    const session = await begin(store, {
      userId: 'ann',
      ownIdleTimeout: 30 * MINUTE,
      entries: [entry('basket', 'tea'), entry('theme', 'dark')],
    })
    const record = await recordOf(store, session)
    assert.equal(record.id, session.id)
    assert.equal(record.userId, 'ann')
    assert.equal(record.ownIdleTimeout, 30 * MINUTE)
    assert.deepEqual(textsOf(record.entries), { basket: 'tea', theme: 'dark' })
  })

  test('starts a session at the moment of its creation', async ({ store }) => {
    const { times } = await begin(store)
    assertClose(times.createdAt, times.now, 'createdAt')
    assertClose(times.lastAccessAt, times.now, 'lastAccessAt')
  })

  test('answers a creation with the times that a load then tells', async ({ store }) => {
    const session = await begin(store, { userId: 'ann' })
    const { now, ...times } = session.times
    const record = await recordOf(store, session)
    assert.deepEqual({ ...record, ...times }, record)
    assert.ok(record.now >= now)
  })

  test('has no user and no sign-in time in an anonymous session', async ({ store }) => {
    const session = await begin(store)
    assert.equal(session.times.authenticatedAt, null)
    const record = await recordOf(store, session)
    assert.equal(record.userId, null)
    assert.equal(record.authenticatedAt, null)
  })

  test('has the user of a new session authenticated at its creation', async ({ store }) => {
    const { times } = await begin(store, { userId: 'ann' })
    assert.equal(times.authenticatedAt, times.createdAt)
  })

  test('keeps sessions apart', async ({ store }) => {
    const one = await begin(store, { entries: [entry('owner', 'one')] })
    const other = await begin(store, { entries: [entry('owner', 'other')] })
    await save(store, one, { written: [entry('more', 'one')] })
    assert.deepEqual(await contentOf(store, one), { owner: 'one', more: 'one' })
    assert.deepEqual(await contentOf(store, other), { owner: 'other' })
  })

  test('does not create a session over another', async ({ store }) => {
    const session = await begin(store, { userId: 'ann', entries: [entry('owner', 'ann')] })
    const thief = sample({ id: session.id, userId: 'eve', entries: [entry('owner', 'eve')] })
    assert.equal((await store.create(thief)).status, 'taken')
    assert.equal(await statusOf(store, thief), 'unknown')
    const record = await recordOf(store, session)
    assert.equal(record.userId, 'ann')
    assert.deepEqual(textsOf(record.entries), { owner: 'ann' })
  })

  test('does not create a session over a dead one', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(2 * HOUR)
    assert.equal((await store.create(sample({ id: session.id }))).status, 'taken')
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('answers a repeated creation as it answered the first', async ({ store, elapse }) => {
    const session = await begin(store, { userId: 'ann', entries: [entry('step', 'one')] })
    await elapse(10 * MINUTE)
    const { times: _, ...same } = session
    const repeated = await store.create(same)
    assert.equal(repeated.status, 'created')
    const { times } = repeated
    assert.ok(times.now - times.createdAt >= 10 * MINUTE, 'it was created earlier')
    assertClose(times.expiresAt - times.createdAt, HOUR, 'the idle deadline')
    assert.deepEqual(await contentOf(store, session), { step: 'one' })
  })

  test('undoes nothing by a repeated creation', async ({ store }) => {
    const session = await begin(store, { entries: [entry('step', 'one'), entry('old', 'x')] })
    await save(store, session, { written: [entry('step', 'two')], deleted: [entry('old', '').key] })
    const { times: _, ...same } = session
    assert.equal((await store.create(same)).status, 'created')
    assert.deepEqual(await contentOf(store, session), { step: 'two' })
  })

  test('revives nothing by a repeated creation', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(2 * HOUR)
    const { times: _, ...same } = session
    await store.create(same)
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('writes nothing by loading', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(MINUTE)
    const { now: first, ...before } = await recordOf(store, session)
    const { now: second, ...after } = await recordOf(store, session)
    assert.deepEqual(after, before)
    assert.ok(second >= first)
    assertClose(after.lastAccessAt - after.createdAt, 0, 'the access that a load noted')
  })

  test('replaces a session by one with another id, token and content', async ({ store }) => {
    const old = await begin(store, { userId: 'ann', entries: [entry('basket', 'tea')] })
    const next = sample({ entries: [entry('theme', 'dark')] })
    const result = await store.replace(guardOf(old), next)
    assert.equal(result.status, 'created')
    assert.equal(await statusOf(store, old), 'unknown')
    const { now: _, ...times } = result.times
    const record = await recordOf(store, next)
    assert.equal(record.userId, null)
    assert.deepEqual(textsOf(record.entries), { theme: 'dark' })
    assert.deepEqual({ ...record, ...times }, record)
  })

  test('starts the successor of a session with times of its own', async ({ store, elapse }) => {
    const old = await begin(store)
    await elapse(30 * MINUTE)
    const result = await store.replace(guardOf(old), sample({ userId: 'ann' }))
    assert.equal(result.status, 'created')
    const { times } = result
    assertClose(times.createdAt, times.now, 'createdAt')
    assertClose(times.authenticatedAt ?? 0, times.now, 'authenticatedAt')
    assertClose(times.expiresAt - times.now, HOUR, 'the idle deadline')
  })

  test('begins no successor of a session that does not exist', async ({ store }) => {
    const next = sample()
    assert.deepEqual(await store.replace(guardOf(sample()), next), { status: 'gone' })
    assert.equal(await statusOf(store, next), 'unknown')
  })

  test("begins no successor of another user's session", async ({ store }) => {
    const session = await begin(store, { userId: 'ann' })
    for (const userId of ['eve', null]) {
      const next = sample()
      assert.deepEqual(await store.replace({ ...guardOf(session), userId }, next), {
        status: 'superseded',
      })
      assert.equal(await statusOf(store, next), 'unknown')
    }
    assert.equal(await statusOf(store, session), 'live')
  })

  test('replaces nothing when the id of the successor is taken', async ({ store }) => {
    const old = await begin(store, { entries: [entry('basket', 'tea')] })
    const other = await begin(store, { userId: 'bob', entries: [entry('owner', 'bob')] })
    const next = sample({ id: other.id, secretHash: randomHash() })
    await assert.rejects(store.replace(guardOf(old), next), { code: 'ERR_STORE' })
    assert.deepEqual(await contentOf(store, old), { basket: 'tea' })
    assert.deepEqual(await contentOf(store, other), { owner: 'bob' })
    assert.equal(await statusOf(store, next), 'unknown')
  })
}
