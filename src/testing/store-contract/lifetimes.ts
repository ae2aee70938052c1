import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import {
  assertClose,
  begin,
  DAY,
  HOUR,
  lifetime,
  MINUTE,
  randomHash,
  recordOf,
  rotation,
  save,
  statusOf,
} from './samples.ts'

/** How a session's own idle timeout, its absolute deadline and a sign-in reset its lifetime. */
export function lifetimeTests(test: StoreTest): void {
  ownIdleTimeoutTests(test)
  absoluteDeadlineTests(test)
  signInTests(test)
}

function ownIdleTimeoutTests(test: StoreTest): void {
  test('shortens the deadline at once with an idle timeout of its own', async ({
    store,
    elapse,
  }) => {
    const session = await begin(store)
    const { times } = await save(store, session, {
      lifetime: { idle: 5 * MINUTE, purge: 2 * HOUR },
      credentials: { ownIdleTimeout: 5 * MINUTE },
    })
    assertClose(times.expiresAt - times.now, 5 * MINUTE, 'the idle deadline')
    assert.equal((await recordOf(store, session)).ownIdleTimeout, 5 * MINUTE)
    await elapse(6 * MINUTE)
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('lengthens the deadline at once with an idle timeout of its own', async ({ store }) => {
    const session = await begin(store)
    const { times } = await save(store, session, {
      lifetime: { idle: 5 * HOUR, purge: 6 * HOUR },
      credentials: { ownIdleTimeout: 5 * HOUR },
    })
    assertClose(times.expiresAt - times.now, 5 * HOUR, 'the idle deadline')
    assertClose(times.purgeAt - times.now, 6 * HOUR, 'the purge bound')
  })

  test('follows the settings again when its own idle timeout is taken away', async ({ store }) => {
    const session = await begin(store, {
      lifetime: { idle: 5 * HOUR, purge: 5 * HOUR },
      ownIdleTimeout: 5 * HOUR,
    })
    const { times } = await save(store, session, { credentials: { ownIdleTimeout: null } })
    assertClose(times.expiresAt - times.now, HOUR, 'the idle deadline')
    assert.equal((await recordOf(store, session)).ownIdleTimeout, null)
  })

  test('keeps its own idle timeout through changes that do not name it', async ({ store }) => {
    const session = await begin(store, { ownIdleTimeout: 5 * HOUR })
    const to = randomHash()
    const absoluteExpiresAt = session.times.absoluteExpiresAt + HOUR
    await save(store, session)
    await save(store, session, {
      credentials: { ...rotation(session.secretHash, to), absoluteExpiresAt },
    })
    assert.equal((await recordOf(store, session, to)).ownIdleTimeout, 5 * HOUR)
  })

  test('keeps an idle timeout of its own from ending a session later than absolute', async ({
    store,
  }) => {
    const session = await begin(store, { absolute: 2 * HOUR })
    const { times } = await save(store, session, {
      lifetime: { idle: DAY, purge: DAY },
      credentials: { ownIdleTimeout: DAY },
    })
    assert.equal(times.expiresAt, times.absoluteExpiresAt)
    assertClose(times.absoluteExpiresAt - times.createdAt, 2 * HOUR, 'the absolute deadline')
  })
}

function absoluteDeadlineTests(test: StoreTest): void {
  test('brings the end forward with an earlier absolute deadline', async ({ store, elapse }) => {
    const session = await begin(store)
    const absoluteExpiresAt = session.times.now + 10 * MINUTE
    const { times } = await save(store, session, { credentials: { absoluteExpiresAt } })
    assertClose(times.absoluteExpiresAt, absoluteExpiresAt, 'the absolute deadline')
    assert.equal(times.expiresAt, times.absoluteExpiresAt)
    await elapse(11 * MINUTE)
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('puts the end off with a later absolute deadline', async ({ store }) => {
    const session = await begin(store, { absolute: 30 * MINUTE })
    const absoluteExpiresAt = session.times.now + 10 * HOUR
    const { times } = await save(store, session, { credentials: { absoluteExpiresAt } })
    assertClose(times.absoluteExpiresAt, absoluteExpiresAt, 'the absolute deadline')
    assertClose(times.expiresAt - times.now, HOUR, 'the idle deadline')
    assertClose(times.purgeAt - times.now, 2 * HOUR, 'the purge bound')
  })

  test('takes the absolute deadline away', async ({ store }) => {
    const session = await begin(store, { absolute: 30 * MINUTE })
    const credentials = { absoluteExpiresAt: Infinity }
    const { times } = await save(store, session, { credentials })
    assert.equal(times.absoluteExpiresAt, Infinity)
    assertClose(times.expiresAt - times.now, HOUR, 'the idle deadline')
  })

  test('leaves the absolute deadline to changes that name it', async ({ store }) => {
    const session = await begin(store)
    const to = randomHash()
    await save(store, session, {
      credentials: {
        ...rotation(session.secretHash, to),
        signIn: { userId: 'ann' },
        ownIdleTimeout: 5 * HOUR,
      },
    })
    const { absoluteExpiresAt } = await recordOf(store, session, to)
    assert.equal(absoluteExpiresAt, session.times.absoluteExpiresAt)
  })

  test('never moves the purge bound backwards, even where the end comes sooner', async ({
    store,
  }) => {
    const session = await begin(store)
    const absoluteExpiresAt = session.times.now + 10 * MINUTE
    const { times } = await save(store, session, {
      lifetime: { idle: MINUTE, purge: MINUTE },
      credentials: { absoluteExpiresAt, ownIdleTimeout: MINUTE },
    })
    assertClose(times.expiresAt - times.now, MINUTE, 'the deadline')
    assert.equal(times.purgeAt, session.times.purgeAt)
  })
}

function signInTests(test: StoreTest): void {
  const signIn = { userId: 'ann' }

  test('restarts the idle timeout at a sign-in', async ({ store }) => {
    const session = await begin(store)
    const { times } = await save(store, session, {
      lifetime: { idle: 5 * MINUTE, purge: 2 * HOUR },
      credentials: { ...rotation(session.secretHash), signIn },
    })
    assertClose(times.expiresAt - times.now, 5 * MINUTE, 'the idle deadline')
  })

  test('restarts the absolute timeout at a sign-in that says so', async ({ store, elapse }) => {
    const session = await begin(store, { absolute: 2 * HOUR })
    await elapse(30 * MINUTE)
    const { now } = await recordOf(store, session)
    const absoluteExpiresAt = now + 2 * HOUR
    const { times } = await save(store, session, {
      credentials: { ...rotation(session.secretHash), signIn, absoluteExpiresAt },
    })
    assertClose(times.absoluteExpiresAt, absoluteExpiresAt, 'the absolute deadline')
    assertClose(times.expiresAt - times.now, HOUR, 'the idle deadline')
  })

  test('does not shorten the deadline by a mere rotation', async ({ store }) => {
    const session = await begin(store)
    const { times } = await save(store, session, {
      lifetime: { idle: MINUTE, purge: MINUTE },
      credentials: rotation(session.secretHash),
    })
    assert.equal(times.expiresAt, session.times.expiresAt)
  })

  test('moves the deadline by a rotation as by any access', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(30 * MINUTE)
    const credentials = rotation(session.secretHash)
    const { times } = await save(store, session, { lifetime, credentials })
    assertClose(times.lastAccessAt, times.now, 'lastAccessAt')
    assertClose(times.expiresAt - times.now, HOUR, 'the idle deadline')
    assertClose(times.purgeAt - times.now, 2 * HOUR, 'the purge bound')
  })

  test('answers a save with the times that a load then tells', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(30 * MINUTE)
    const to = randomHash()
    const { times } = await save(store, session, {
      credentials: { ...rotation(session.secretHash, to), signIn, ownIdleTimeout: MINUTE },
    })
    const { now, ...kept } = times
    const record = await recordOf(store, session, to)
    assert.deepEqual({ ...record, ...kept }, record)
    assert.ok(record.now >= now)
  })
}
