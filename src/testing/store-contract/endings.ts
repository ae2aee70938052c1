import assert from 'node:assert/strict'
import type { NewSession } from '../../store/session-store.ts'
import type { StoreHarness, StoreTest } from './harness.ts'
import {
  begin,
  changeOf,
  contentOf,
  DAY,
  entry,
  guardOf,
  HOUR,
  inParallel,
  lifetime,
  randomHash,
  rotation,
  sample,
  statusOf,
} from './samples.ts'
import { guardedWrites } from './writes.ts'

/** A way for a session to end. */
interface Ending {
  readonly name: string
  /** How `load` answers the token afterwards. */
  readonly left: 'expired' | 'unknown'
  end(harness: StoreHarness, session: NewSession): Promise<unknown>
}

const endings: readonly Ending[] = [
  {
    name: 'was destroyed',
    left: 'unknown',
    end: ({ store }, { id }) => store.destroy({ id }),
  },
  {
    name: 'was destroyed with its user',
    left: 'unknown',
    end: ({ store }) => store.destroyByUser('ann', []),
  },
  {
    name: 'was replaced',
    left: 'unknown',
    end: ({ store }, session) => store.replace(guardOf(session), sample()),
  },
  {
    name: 'was purged',
    left: 'unknown',
    end: async ({ store, elapse }) => {
      await elapse(2 * DAY)
      assert.equal(await store.purge(10), 1)
    },
  },
  { name: 'was idle too long', left: 'expired', end: ({ elapse }) => elapse(2 * HOUR) },
  {
    name: 'reached its absolute deadline',
    left: 'expired',
    end: async ({ store, elapse }, { id }) => {
      await store.touch({ id, lifetime: { idle: 2 * DAY, purge: 2 * DAY } })
      await elapse(DAY + HOUR)
    },
  },
]

/** What has ended stays ended, and leaves nothing behind. */
export function endingTests(test: StoreTest): void {
  for (const ending of endings) finalityTests(test, ending)
  destroyTests(test)
  closeTests(test)
}

function finalityTests(test: StoreTest, { name: ending, left, end }: Ending): void {
  const later = { idle: DAY, purge: DAY }

  for (const { name, run } of guardedWrites) {
    test(`answers 'gone' to ${name} for a session that ${ending}`, async (harness) => {
      const { store } = harness
      const session = await begin(store, { userId: 'ann', entries: [entry('late', '1')] })
      await end(harness, session)
      assert.equal(await run(store, guardOf(session)), 'gone')
      assert.equal(await statusOf(store, session), left)
    })
  }

  test(`touches no session that ${ending}`, async (harness) => {
    const { store } = harness
    const session = await begin(store, { userId: 'ann' })
    await end(harness, session)
    await store.touch({ id: session.id, lifetime: later })
    assert.equal(await statusOf(store, session), left)
  })

  test(`neither rotates nor signs in nor prolongs a session that ${ending}`, async (harness) => {
    const { store } = harness
    const session = await begin(store, { userId: 'ann' })
    await end(harness, session)
    const to = randomHash()
    const change = changeOf(session, {
      lifetime: later,
      credentials: {
        ...rotation(session.secretHash, to),
        signIn: { userId: 'ann' },
        absoluteExpiresAt: Infinity,
        ownIdleTimeout: DAY,
      },
    })
    assert.deepEqual(await store.save(change), { status: 'gone' })
    assert.equal(await statusOf(store, session, to), 'unknown')
    assert.equal(await statusOf(store, session), left)
  })

  if (left === 'expired') return
  test(`leaves no entries behind of a session that ${ending}`, async (harness) => {
    const { store } = harness
    const session = await begin(store, { userId: 'ann', entries: [entry('basket', 'tea')] })
    await end(harness, session)
    for (const { run } of guardedWrites) await run(store, guardOf(session))
    const namesake = await begin(store, { id: session.id })
    assert.deepEqual(await contentOf(store, namesake), {})
  })
}

function destroyTests(test: StoreTest): void {
  test('says once that it ended a live session', async ({ store }) => {
    const session = await begin(store, { userId: 'ann' })
    assert.equal((await store.destroy({ id: session.id })).status, 'ended')
    assert.equal((await store.destroy({ id: session.id })).status, 'gone')
    assert.equal(await statusOf(store, session), 'unknown')
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })

  test('destroys nothing where there is nothing', async ({ store }) => {
    const other = await begin(store)
    assert.equal((await store.destroy({ id: sample().id })).status, 'gone')
    assert.equal(await statusOf(store, other), 'live')
  })

  test("ends the owner's session for the owner", async ({ store }) => {
    const session = await begin(store, { userId: 'ann' })
    assert.equal((await store.destroy({ id: session.id, owner: 'ann' })).status, 'ended')
    assert.equal(await statusOf(store, session), 'unknown')
  })

  test("ends no other user's session for an owner", async ({ store }) => {
    const ann = await begin(store, { userId: 'ann', entries: [entry('a', '1')] })
    const stranger = await begin(store, { entries: [entry('a', '1')] })
    for (const session of [ann, stranger]) {
      for (const owner of ['eve', '', 'Ann']) {
        assert.equal((await store.destroy({ id: session.id, owner })).status, 'gone')
      }
      assert.deepEqual(await contentOf(store, session), { a: '1' })
    }
  })

  test("leaves another user's expired session to the purge", async ({ store, elapse }) => {
    const session = await begin(store, { userId: 'ann' })
    await elapse(2 * HOUR)
    assert.equal((await store.destroy({ id: session.id, owner: 'eve' })).status, 'gone')
    assert.equal(await statusOf(store, session), 'expired')
  })

  test('removes a dead session without claiming to have ended it', async ({ store, elapse }) => {
    const session = await begin(store, { userId: 'ann' })
    await elapse(2 * HOUR)
    assert.equal((await store.destroy({ id: session.id })).status, 'gone')
    assert.equal(await statusOf(store, session), 'unknown')
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })
}

function closeTests(test: StoreTest): void {
  test('is ready as often as it is asked', async ({ store }) => {
    const session = await begin(store)
    await inParallel(5, () => store.ready())
    await store.ready()
    assert.equal(await statusOf(store, session), 'live')
  })

  test('takes no call once it is closed', async ({ store }) => {
    const session = await begin(store, { userId: 'ann' })
    const { id, userId, secretHash } = session
    const guard = { id, userId, lifetime, key: secretHash }
    await store.close()
    const calls: Record<string, () => Promise<unknown>> = {
      ready: () => store.ready(),
      load: () => store.load({ id, secretHashes: [secretHash] }),
      create: () => store.create(sample()),
      save: () => store.save(changeOf(session)),
      replace: () => store.replace(guardOf(session), sample()),
      update: () => store.update({ ...guard, expected: null, value: null }),
      take: () => store.take(guard),
      touch: () => store.touch({ id, lifetime }),
      destroy: () => store.destroy({ id }),
      listByUser: () => store.listByUser('ann'),
      destroyByUser: () => store.destroyByUser('ann', []),
      count: () => store.count(),
      purge: () => store.purge(1),
    }
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call, { code: 'ERR_SESSIONS_CLOSED' }, name)
    }
  })

  test('closes as often as it is asked', async ({ store }) => {
    await inParallel(3, () => store.close())
    await store.close()
  })

  test('finishes the calls in flight before it is closed', async ({ store }) => {
    const session = await begin(store)
    const answers: string[] = []
    const saves = inParallel(20, async (index) => {
      const written = [entry(`key-${index}`, 'x')]
      answers.push((await store.save(changeOf(session, { written }))).status)
    })
    await store.close()
    assert.deepEqual(
      answers,
      Array.from({ length: 20 }, () => 'saved'),
    )
    await saves
  })
}
