import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import {
  assertClose,
  begin,
  bytes,
  changeOf,
  contentOf,
  entry,
  guardOf,
  HOUR,
  MINUTE,
  randomHash,
  recordOf,
  rotation,
  save,
  statusOf,
} from './samples.ts'
import { guardedWrites } from './writes.ts'

/** Who is signed in: always with a new token, and never behind the back of an older request. */
export function signInTests(test: StoreTest): void {
  const signIn = { userId: 'ann' }

  test('lets a sign-in look older, where it can, and changes nothing else', async ({ store }) => {
    if (store.backdateSignIn === undefined) return
    const session = await begin(store, { userId: 'ann' })
    const visitor = await begin(store, {})
    const before = await recordOf(store, session)
    for (const id of [session.id, visitor.id, 'ann']) await store.backdateSignIn(id, HOUR)
    const { authenticatedAt, ...record } = await recordOf(store, session)
    assertClose(authenticatedAt ?? 0, (before.authenticatedAt ?? 0) - HOUR, 'authenticatedAt')
    assert.equal(record.userId, 'ann')
    assert.equal(record.expiresAt, before.expiresAt)
    assert.equal((await recordOf(store, visitor)).authenticatedAt, null)
  })

  test('signs a user in with a new token and a new proof of who they are', async ({
    store,
    elapse,
  }) => {
    const session = await begin(store, { entries: [entry('basket', 'tea')] })
    await elapse(10 * MINUTE)
    const to = randomHash()
    const { times, rotated } = await save(store, session, {
      written: [entry('a', '1')],
      credentials: { ...rotation(session.secretHash, to), signIn },
    })
    assert.equal(rotated, true)
    assertClose(times.authenticatedAt ?? 0, times.now, 'authenticatedAt')
    assert.equal(await statusOf(store, session), 'unknown')
    const record = await recordOf(store, session, to)
    assert.equal(record.userId, 'ann')
    assert.equal(record.authenticatedAt, times.authenticatedAt)
    assert.ok(record.lastAccessAt - record.createdAt >= 10 * MINUTE, 'it is later than creation')
    assert.deepEqual(await contentOf(store, session, to), { basket: 'tea', a: '1' })
  })

  test('refuses a sign-in as a whole when another request replaced the token', async ({
    store,
  }) => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    const current = randomHash()
    await save(store, session, { credentials: rotation(session.secretHash, current) })
    const before = await recordOf(store, session, current)
    const late = randomHash()
    const refused = changeOf(session, {
      lifetime: { idle: 2 * HOUR, purge: 4 * HOUR },
      written: [entry('b', '1')],
      deleted: [bytes('a')],
      credentials: {
        ...rotation(session.secretHash, late),
        signIn,
        absoluteExpiresAt: before.absoluteExpiresAt + HOUR,
        ownIdleTimeout: 2 * HOUR,
      },
    })
    assert.deepEqual(await store.save(refused), { status: 'gone' })
    assert.equal(await statusOf(store, session, late), 'unknown')
    const { now: _, ...after } = await recordOf(store, session, current)
    assert.deepEqual({ ...before, ...after }, before)
  })

  test('refuses a sign-in that brings no new token', async ({ store }) => {
    const session = await begin(store)
    const refused = changeOf(session, { written: [entry('a', '1')], credentials: { signIn } })
    assert.deepEqual(await store.save(refused), { status: 'gone' })
    const record = await recordOf(store, session)
    assert.equal(record.userId, null)
    assert.deepEqual(record.entries, [])
  })

  test('notes when the same user proves again who they are', async ({ store, elapse }) => {
    const session = await begin(store, { userId: 'ann' })
    await elapse(10 * MINUTE)
    const to = randomHash()
    await save(store, session, { credentials: { ...rotation(session.secretHash, to), signIn } })
    const record = await recordOf(store, session, to)
    assert.ok((record.authenticatedAt ?? 0) - record.createdAt >= 10 * MINUTE)
    assert.equal(await statusOf(store, session), 'unknown')
  })

  test('does not take a mere rotation for a proof of who the user is', async ({
    store,
    elapse,
  }) => {
    const session = await begin(store, { userId: 'ann' })
    await elapse(10 * MINUTE)
    const to = randomHash()
    await save(store, session, { credentials: rotation(session.secretHash, to) })
    const record = await recordOf(store, session, to)
    assert.equal(record.authenticatedAt, record.createdAt)
  })

  for (const { name, run } of guardedWrites) {
    test(`answers 'gone' to ${name} from before the same user signed in again`, async ({
      store,
    }) => {
      const session = await begin(store, { userId: 'ann', entries: [entry('late', 'kept')] })
      const { version } = await recordOf(store, session)
      assert.notEqual(version, undefined)
      const to = randomHash()
      const again = { ...rotation(session.secretHash, to), signIn }
      const saved = await save(store, session, { credentials: again })
      assert.equal(await run(store, { ...guardOf(session), version }), 'gone')
      assert.deepEqual(await contentOf(store, session, to), { late: 'kept' })
      const record = await recordOf(store, session, to)
      assert.notEqual(record.version, version)
      assert.equal(saved.version, record.version)
      const later = { ...guardOf(session), secretHashes: [to], version: record.version }
      assert.notEqual(await run(store, later), 'gone')
    })

    test(`answers 'gone' to ${name} from before a sign-in`, async ({ store }) => {
      const session = await begin(store, { entries: [entry('late', 'kept')] })
      const to = randomHash()
      await save(store, session, { credentials: { ...rotation(session.secretHash, to), signIn } })
      assert.equal(await run(store, guardOf(session)), 'gone')
      assert.deepEqual(await contentOf(store, session, to), { late: 'kept' })
      const later = { ...guardOf(session), userId: 'ann', secretHashes: [to] }
      assert.notEqual(await run(store, later), 'gone')
    })
  }
}
