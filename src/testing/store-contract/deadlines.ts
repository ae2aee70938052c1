import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import {
  assertClose,
  assertWithin,
  begin,
  contentOf,
  DAY,
  entry,
  guardOf,
  HOUR,
  lifetime,
  MINUTE,
  recordOf,
  sample,
  statusOf,
} from './samples.ts'
import { type Access, accesses } from './writes.ts'

/** When a session dies, and how an access moves its deadlines. */
export function deadlineTests(test: StoreTest): void {
  expiryTests(test)
  infinityTests(test)
  for (const access of accesses) accessTests(test, access)
}

function expiryTests(test: StoreTest): void {
  test('keeps a session until its idle deadline and no longer', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(HOUR - MINUTE)
    assert.equal(await statusOf(store, session), 'live')
    await elapse(2 * MINUTE)
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('keeps a session until its absolute deadline and no longer', async ({ store, elapse }) => {
    const session = await begin(store, { absolute: 30 * MINUTE })
    await elapse(29 * MINUTE)
    assert.equal(await statusOf(store, session), 'live')
    await elapse(2 * MINUTE)
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('ends a session at its absolute deadline however much it is used', async ({
    store,
    elapse,
  }) => {
    const session = await begin(store, { absolute: 2 * HOUR })
    for (let visit = 0; visit < 4; visit += 1) {
      await elapse(29 * MINUTE)
      await store.touch({ id: session.id, lifetime })
    }
    assert.equal(await statusOf(store, session), 'live')
    await elapse(5 * MINUTE)
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('keeps a session that is used for as long as it is', async ({ store, elapse }) => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    for (let visit = 0; visit < 5; visit += 1) {
      await elapse(50 * MINUTE)
      await store.touch({ id: session.id, lifetime })
    }
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test('gives a new session the earlier of both deadlines', async ({ store }) => {
    const idle = (await begin(store)).times
    assertClose(idle.expiresAt - idle.now, HOUR, 'the deadline')
    assertClose(idle.absoluteExpiresAt - idle.now, DAY, 'the absolute deadline')
    const absolute = (await begin(store, { absolute: MINUTE })).times
    assertClose(absolute.expiresAt - absolute.now, MINUTE, 'the deadline')
    assert.equal(absolute.absoluteExpiresAt, absolute.expiresAt)
  })

  test('lets a new session that is never used be purged as soon as it is expired', async ({
    store,
  }) => {
    for (const absolute of [DAY, MINUTE]) {
      const { times } = await begin(store, { absolute })
      assert.equal(times.purgeAt, times.expiresAt)
    }
  })

  test('takes no notice of a touch for a session that never was', async ({ store }) => {
    const session = sample()
    await store.touch({ id: session.id, lifetime })
    assert.equal(await statusOf(store, session), 'unknown')
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })
}

function infinityTests(test: StoreTest): void {
  const forever = { idle: Infinity, purge: Infinity }
  const century = 36_525 * DAY

  test('keeps a session without deadlines for ever', async ({ store, elapse }) => {
    const session = await begin(store, { lifetime: forever, absolute: Infinity })
    const { expiresAt, absoluteExpiresAt, purgeAt } = session.times
    assert.deepEqual([expiresAt, absoluteExpiresAt, purgeAt], [Infinity, Infinity, Infinity])
    await elapse(century)
    assert.equal(await store.purge(10), 0)
    assert.equal(await statusOf(store, session), 'live')
  })

  test('ends a session that is never idle at its absolute deadline', async ({ store, elapse }) => {
    const session = await begin(store, { lifetime: forever, absolute: HOUR })
    assert.equal(session.times.expiresAt, session.times.absoluteExpiresAt)
    await elapse(HOUR + MINUTE)
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('ends an idle session that has no absolute deadline', async ({ store, elapse }) => {
    const session = await begin(store, { absolute: Infinity })
    assert.equal(session.times.absoluteExpiresAt, Infinity)
    assertClose(session.times.expiresAt - session.times.now, HOUR, 'the deadline')
    await elapse(HOUR + MINUTE)
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('takes the deadline from a session by an access without one', async ({ store, elapse }) => {
    const session = await begin(store, { absolute: Infinity })
    await store.touch({ id: session.id, lifetime: forever })
    await store.touch({ id: session.id, lifetime })
    await elapse(century)
    const { expiresAt, purgeAt } = await recordOf(store, session)
    assert.deepEqual([expiresAt, purgeAt], [Infinity, Infinity])
  })
}

function accessTests(test: StoreTest, { name, run }: Access): void {
  test(`notes the access and moves the idle deadline on ${name}`, async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(30 * MINUTE)
    await run(store, guardOf(session), lifetime)
    const { createdAt, lastAccessAt, expiresAt } = await recordOf(store, session)
    assert.ok(lastAccessAt - createdAt >= 30 * MINUTE, 'the access is noted')
    assertClose(expiresAt - lastAccessAt, HOUR, 'the idle deadline')
  })

  test(`changes nothing but the times on ${name}`, async ({ store, elapse }) => {
    const details = { userId: 'ann', ownIdleTimeout: HOUR, entries: [entry('a', '1')] }
    const session = await begin(store, details)
    await elapse(30 * MINUTE)
    await run(store, guardOf(session), lifetime)
    const record = await recordOf(store, session)
    assert.equal(record.userId, 'ann')
    assert.equal(record.ownIdleTimeout, HOUR)
    assert.equal(record.authenticatedAt, record.createdAt)
    assertClose(record.absoluteExpiresAt - record.createdAt, DAY, 'the absolute deadline')
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test(`moves no deadline backwards on ${name}`, async ({ store }) => {
    const session = await begin(store)
    await run(store, guardOf(session), { idle: MINUTE, purge: 2 * MINUTE })
    const { createdAt, expiresAt, purgeAt } = await recordOf(store, session)
    // A store that keeps whole seconds may count the access as one of the next second.
    assertWithin(expiresAt - createdAt, [HOUR - 1, HOUR + MINUTE], 'the idle deadline')
    assertWithin(purgeAt - createdAt, [HOUR - 1, HOUR + MINUTE], 'the purge bound')
  })

  test(`moves no deadline past the absolute one on ${name}`, async ({ store }) => {
    const session = await begin(store, { absolute: 90 * MINUTE })
    await run(store, guardOf(session), { idle: 10 * HOUR, purge: 20 * HOUR })
    const record = await recordOf(store, session)
    assertClose(record.absoluteExpiresAt - record.createdAt, 90 * MINUTE, 'the absolute deadline')
    assert.equal(record.expiresAt, record.absoluteExpiresAt)
    assert.equal(record.purgeAt, record.absoluteExpiresAt)
  })

  test(`moves the purge bound ahead of the deadline on ${name}`, async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(30 * MINUTE)
    await run(store, guardOf(session), lifetime)
    const { lastAccessAt, purgeAt } = await recordOf(store, session)
    assertClose(purgeAt - lastAccessAt, 2 * HOUR, 'the purge bound')
  })

  test(`never leaves the purge bound before the deadline on ${name}`, async ({ store, elapse }) => {
    const session = await begin(store)
    for (const idle of [MINUTE, 2 * HOUR, HOUR, 3 * HOUR]) {
      await elapse(20 * MINUTE)
      await run(store, guardOf(session), { idle, purge: idle })
      const { expiresAt, purgeAt } = await recordOf(store, session)
      assert.ok(purgeAt >= expiresAt)
    }
  })
}
