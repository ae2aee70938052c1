import assert from 'node:assert/strict'
import { TooManySessionsError } from '../../errors.ts'
import type { NewSession, SessionCap, SessionStore } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import {
  begin,
  changeOf,
  entry,
  guardOf,
  HOUR,
  inParallel,
  MINUTE,
  randomHash,
  recordOf,
  rotation,
  sample,
  statusOf,
} from './samples.ts'

const endOldest = (count: number): SessionCap => ({ count, beyond: 'end-oldest' })
const refuse = (count: number): SessionCap => ({ count, beyond: 'refuse' })

/** How many live sessions a user may have. A store that cannot keep it lacks `limitsUsers`. */
export function capTests(test: StoreTest): void {
  const capTest = (name: string, body: Parameters<StoreTest>[1]): void =>
    test(name, async (harness) => {
      if (harness.store.limitsUsers === true) await body(harness)
    })
  endingTests(capTest)
  refusingTests(capTest)
}

/** The ways in which a user signs in. */
const signIns: Record<
  string,
  (store: SessionStore, cap: SessionCap) => Promise<{ evicted?: readonly string[] }>
> = {
  'a new session': beginCapped,
  "a visitor's session": async (store, cap) => signInVisitor(store, await begin(store), cap),
  "another user's session": async (store, cap) => {
    const bob = await begin(store, { userId: `bob ${randomHash()}` })
    return doneOf(await store.replace(guardOf(bob), sample({ userId: 'ann', cap })))
  },
}

async function beginCapped(
  store: SessionStore,
  cap: SessionCap,
): Promise<{ evicted?: readonly string[] }> {
  return doneOf(await store.create(sample({ userId: 'ann', cap })))
}

async function signInVisitor(
  store: SessionStore,
  session: NewSession,
  cap: SessionCap,
): Promise<{ evicted?: readonly string[] }> {
  const signIn = { userId: 'ann', cap }
  const credentials = { ...rotation(session.secretHash), signIn }
  return doneOf(await store.save(changeOf(session, { credentials })))
}

function endingTests(test: StoreTest): void {
  for (const [what, signIn] of Object.entries(signIns)) {
    test(`ends the sessions that began longest ago when ${what} is signed in beyond the cap`, async ({
      store,
      elapse,
    }) => {
      const old = []
      for (let n = 0; n < 4; n += 1) {
        old.push(await begin(store, { userId: 'ann' }))
        await elapse(MINUTE)
      }
      await begin(store, { userId: 'bob' })
      // It is the sign-in that counts, and not the last access.
      await store.touch({ id: old[0]?.id ?? '', lifetime: { idle: HOUR, purge: HOUR } })
      const { evicted = [] } = await signIn(store, endOldest(3))
      assert.deepEqual([...evicted].sort(), [old[0]?.id, old[1]?.id].sort())
      assert.equal((await store.listByUser('ann')).length, 3)
      assert.deepEqual((await signIn(store, endOldest(9))).evicted, [])
      assert.equal((await store.listByUser('bob')).length, 1)
    })

    test(`leaves as many as the cap allows of 30 at once, each by ${what}`, async ({ store }) => {
      await inParallel(30, () => signIn(store, endOldest(5)))
      assert.equal((await store.listByUser('ann')).length, 5)
    })
  }

  test('leaves the newest of those that were signed in at once, and tells of each end once', async ({
    store,
  }) => {
    const results = await inParallel(20, () => beginCapped(store, endOldest(3)))
    const left = (await store.listByUser('ann')).map(({ id }) => id)
    const evicted = results.flatMap(({ evicted = [] }) => evicted)
    assert.equal(left.length, 3)
    assert.equal(evicted.length, 17)
    assert.equal(new Set([...left, ...evicted]).size, 20)
  })

  test('counts neither dead sessions nor the one that signs the same user in again', async ({
    store,
    elapse,
  }) => {
    await begin(store, { userId: 'ann' })
    await elapse(2 * HOUR)
    const [first, second] = [
      await begin(store, { userId: 'ann' }),
      await begin(store, { userId: 'ann' }),
    ]
    await elapse(MINUTE)
    assert.deepEqual((await signInVisitor(store, first, endOldest(2))).evicted, [])
    await elapse(MINUTE)
    const { evicted } = await beginCapped(store, endOldest(2))
    assert.deepEqual(evicted, [second.id])
  })

  test('leaves room for the session that signs the same user in again', async ({
    store,
    elapse,
  }) => {
    const oldest = await begin(store, { userId: 'ann' })
    await elapse(MINUTE)
    await begin(store, { userId: 'ann' })
    await elapse(MINUTE)
    const newest = await begin(store, { userId: 'ann' })
    assert.deepEqual((await signInVisitor(store, newest, endOldest(2))).evicted, [oldest.id])
  })

  test('ends no session for a sign-in that fails', async ({ store }) => {
    const [old, visitor] = [await begin(store, { userId: 'ann' }), await begin(store)]
    const signIn = { userId: 'ann', cap: endOldest(1) }
    const credentials = { ...rotation(randomHash()), signIn }
    assert.deepEqual(await store.save(changeOf(visitor, { credentials })), { status: 'gone' })
    const ended = { ...guardOf(visitor), secretHashes: [randomHash()] }
    const successor = sample({ userId: 'ann', cap: endOldest(1) })
    assert.deepEqual(await store.replace(ended, successor), { status: 'superseded' })
    const taken = { ...sample({ userId: 'ann', cap: endOldest(1) }), id: visitor.id }
    assert.deepEqual(await store.create(taken), { status: 'taken' })
    assert.equal(await statusOf(store, old), 'live')
  })

  test('signs in beside ends, rotations and sign-outs of the user, and never leaves more', async ({
    store,
  }) => {
    await inParallel(24, async (n) => {
      if (n % 3 === 0) await beginCapped(store, endOldest(2))
      else if (n % 3 === 1) await store.destroyByUser('ann', [])
      else {
        const visitor = await begin(store, { entries: [entry('a', '1')] })
        await signInVisitor(store, visitor, endOldest(2))
      }
    })
    assert.ok((await store.listByUser('ann')).length <= 2)
    await inParallel(4, () => beginCapped(store, endOldest(2)))
    assert.equal((await store.listByUser('ann')).length, 2)
  })
}

function refusingTests(test: StoreTest): void {
  for (const [what, signIn] of Object.entries(signIns)) {
    test(`refuses all beyond the cap of 20 at once, each by ${what}`, async ({ store }) => {
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, () => signIn(store, refuse(5))),
      )
      const refused = results.filter(({ status }) => status === 'rejected')
      for (const result of refused) {
        assert.ok(result.status === 'rejected' && result.reason instanceof TooManySessionsError)
      }
      assert.equal(refused.length, 15)
      assert.equal((await store.listByUser('ann')).length, 5)
    })
  }

  test('changes nothing of the session whose sign-in it refuses', async ({ store }) => {
    await begin(store, { userId: 'ann' })
    const visitor = await begin(store, { entries: [entry('basket', '1')] })
    await assert.rejects(signInVisitor(store, visitor, refuse(1)), TooManySessionsError)
    const record = await recordOf(store, visitor)
    assert.deepEqual([record.userId, record.entries.length], [null, 1])
    const bob = await begin(store, { userId: 'bob' })
    const successor = sample({ userId: 'ann', cap: refuse(1) })
    await assert.rejects(store.replace(guardOf(bob), successor), TooManySessionsError)
    assert.equal(await statusOf(store, bob), 'live')
    assert.equal(await statusOf(store, successor), 'unknown')
  })

  test('lets the user in again once a session has ended or expired', async ({ store, elapse }) => {
    const one = await begin(store, { userId: 'ann' })
    const create = (): Promise<unknown> => store.create(sample({ userId: 'ann', cap: refuse(1) }))
    await assert.rejects(create(), TooManySessionsError)
    await store.destroy({ id: one.id })
    await create()
    await elapse(2 * HOUR)
    await create()
    assert.equal((await store.listByUser('ann')).length, 1)
  })
}

function doneOf<Result extends { readonly status: string; readonly evicted?: readonly string[] }>(
  result: Result | { readonly status: 'gone' | 'taken' | 'superseded' },
): { evicted?: readonly string[] } {
  assert.ok(result.status === 'saved' || result.status === 'created', result.status)
  return 'evicted' in result && result.evicted !== undefined ? { evicted: result.evicted } : {}
}
