import assert from 'node:assert/strict'
import type { NewSession, SessionStore } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import {
  begin,
  entry,
  guardOf,
  HOUR,
  inParallel,
  lifetime,
  randomHash,
  recordOf,
  sample,
  statusOf,
} from './samples.ts'

type ActorStore = SessionStore & Required<Pick<SessionStore, 'endActing'>>

/** Administrators who act as users. A store that keeps none lacks `endActing`. */
export function actorTests(test: StoreTest): void {
  const actorTest = (
    name: string,
    body: (store: ActorStore, elapse: (milliseconds: number) => Promise<void>) => Promise<void>,
  ): void =>
    test(name, async ({ store, elapse }) => {
      if (store.endActing !== undefined) await body(store as ActorStore, elapse)
    })

  actorTest('keeps who acts as a user, and that the user has not signed in', async (store) => {
    const { own, acting } = await act(store)
    const actor = { userId: 'admin', sessionId: own.id }
    const record = await recordOf(store, acting)
    assert.deepEqual(record.actor, actor)
    assert.equal(record.authenticatedAt, null)
    assert.ok(!('actor' in (await recordOf(store, own))))
    assert.deepEqual((await store.listByUser('ann'))[0]?.actor, actor)
    const live = (await store.findLive?.([own.id, acting.id])) ?? []
    assert.deepEqual(new Map(live.map(({ id, actor }) => [id, actor])).get(acting.id), actor)
    assert.ok(live.every(({ id, actor }) => id === acting.id || actor === undefined))
    assert.deepEqual(await store.destroyByUser('ann', []), [acting.id])
    assert.equal(await statusOf(store, own), 'live')
  })

  actorTest(
    "goes back to the actor's own session, with its entries, under a new token alone",
    async (store, elapse) => {
      const { own, acting } = await act(store, { entries: [entry('a', '1')] })
      await elapse(HOUR / 2)
      const to = randomHash()
      const result = await store.endActing({ ...guardOf(acting), own: own.id, to, lifetime })
      assert.equal(result.status, 'ended')
      assert.equal(result.own?.id, own.id)
      assert.equal(await statusOf(store, acting), 'unknown')
      assert.equal(await statusOf(store, own), 'unknown')
      const record = await recordOf(store, own, to)
      assert.deepEqual([record.userId, record.entries.length], ['admin', 1])
      assert.deepEqual(result.own?.expiresAt, record.expiresAt)
      assert.ok(record.expiresAt - record.now > 0.9 * HOUR)
      assert.equal(record.authenticatedAt, record.createdAt)
    },
  )

  actorTest('gives one of the callers that go back at once a token that works', async (store) => {
    const { own, acting } = await act(store)
    const tokens = Array.from({ length: 12 }, () => randomHash())
    const results = await inParallel(tokens.length, (n) =>
      store.endActing({ ...guardOf(acting), own: own.id, to: tokens[n] ?? randomHash(), lifetime }),
    )
    assert.equal(results.filter(({ status }) => status === 'ended').length, 1)
    const statuses = await Promise.all(tokens.map((token) => statusOf(store, own, token)))
    assert.equal(statuses.filter((status) => status === 'live').length, 1)
  })

  actorTest('goes back for no other token, user or session, and changes nothing', async (store) => {
    const { own, acting } = await act(store)
    const bob = await begin(store, { userId: 'ann' })
    const wrong = [
      { ...guardOf(acting), secretHashes: [own.secretHash] },
      { ...guardOf(acting), secretHashes: [] },
      { ...guardOf(acting), userId: 'admin' },
      { ...guardOf(acting), id: bob.id },
      guardOf(bob),
      guardOf(own),
      { ...guardOf(acting), id: 'no-id' },
      { ...guardOf(acting), own: bob.id },
      { ...guardOf(acting), own: 'no-id' },
    ]
    for (const guard of wrong) {
      const back = await store.endActing({ own: own.id, ...guard, to: randomHash(), lifetime })
      assert.deepEqual(back, { status: 'gone' })
    }
    for (const session of [own, acting, bob]) assert.equal(await statusOf(store, session), 'live')
  })

  actorTest(
    "ends the actor's session although there is none to go back to",
    async (store, elapse) => {
      const gone = await act(store)
      await store.destroy({ id: gone.own.id })
      const expired = await act(store, { lifetime: { idle: 1000, purge: 1000 } })
      await elapse(2000)
      // A session that has passed to someone else, and one in which someone acts, are not theirs.
      const bob = await begin(store, { userId: 'bob' })
      const theirs = await act(store, {}, bob.id)
      const nested = await act(store, {}, gone.acting.id)
      for (const { acting } of [gone, expired, theirs, nested]) {
        const to = randomHash()
        const own = acting.actor?.sessionId ?? ''
        const result = await store.endActing({ ...guardOf(acting), own, to, lifetime })
        assert.deepEqual(result, { status: 'ended', own: null })
        assert.equal(await statusOf(store, acting), 'unknown')
        assert.equal(await statusOf(store, bob, to), 'unknown')
      }
      assert.equal(await statusOf(store, bob), 'live')
    },
  )

  actorTest(
    'ends and goes back beside ends of the own session, whole or not at all',
    async (store) => {
      await inParallel(8, async () => {
        const { own, acting } = await act(store)
        const to = randomHash()
        const [back] = await Promise.all([
          store.endActing({ ...guardOf(acting), own: own.id, to, lifetime }),
          store.destroy({ id: own.id }),
        ])
        assert.equal(back.status, 'ended')
        assert.equal(await statusOf(store, acting), 'unknown')
        assert.notEqual(await statusOf(store, own), 'live')
        assert.notEqual(await statusOf(store, own, to), 'live')
      })
    },
  )

  actorTest('leaves the actor out of the cap of the user', async (store) => {
    if (store.limitsUsers !== true) return
    const { acting } = await act(store)
    const cap = { count: 1, beyond: 'refuse' } as const
    await store.create(sample({ userId: 'ann', cap }))
    const newest = sample({ userId: 'ann', cap: { count: 1, beyond: 'end-oldest' } })
    await store.create(newest)
    assert.equal(await statusOf(store, acting), 'live')
    assert.equal(await statusOf(store, newest), 'live')
  })
}

/** An administrator's own session, and one in which they act as Ann. */
async function act(
  store: SessionStore,
  details: Partial<NewSession> = {},
  sessionId?: string,
): Promise<{ own: Awaited<ReturnType<typeof begin>>; acting: Awaited<ReturnType<typeof begin>> }> {
  const own = await begin(store, { userId: 'admin', ...details })
  const actor = { userId: 'admin', sessionId: sessionId ?? own.id }
  return { own, acting: await begin(store, { userId: 'ann', actor }) }
}
