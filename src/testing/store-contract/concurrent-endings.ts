import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import {
  begin,
  bytes,
  changeOf,
  contentOf,
  entry,
  guardOf,
  HOUR,
  inParallel,
  lifetime,
  sample,
  statusOf,
} from './samples.ts'

/** Sessions that end while others use, replace or end them. */
export function concurrentEndingTests(test: StoreTest): void {
  test('lets one of 20 replacements at once win', async ({ store }) => {
    const session = await begin(store)
    const successors = Array.from({ length: 20 }, () => sample({ entries: [entry('a', '1')] }))
    const results = await Promise.all(
      successors.map((successor) => store.replace(guardOf(session), successor)),
    )
    const winners = successors.filter((_, n) => results[n]?.status === 'created')
    assert.equal(winners.length, 1)
    for (const successor of successors) {
      const expected = winners.includes(successor) ? 'live' : 'unknown'
      assert.equal(await statusOf(store, successor), expected)
    }
    assert.equal(await statusOf(store, session), 'unknown')
    assert.deepEqual(await store.count(), { live: 1, expired: 0 })
  })

  test('tells one of 20 who destroy a session at once that it was live', async ({ store }) => {
    const { id } = await begin(store)
    const results = await inParallel(20, () => store.destroy({ id }))
    assert.equal(results.filter(({ status }) => status === 'ended').length, 1)
  })

  test("tells each ended session to one of those who end a user's at once", async ({ store }) => {
    const sessions = await inParallel(10, () => begin(store, { userId: 'ann' }))
    const told = (await inParallel(5, () => store.destroyByUser('ann', []))).flat()
    assert.deepEqual(told.sort(), sessions.map(({ id }) => id).sort())
  })

  test('leaves nothing of a session that is destroyed while it is written', async ({ store }) => {
    for (let round = 0; round < 10; round += 1) {
      const session = await begin(store)
      const { id, userId } = session
      const writeAll = () =>
        Promise.all([
          store.save(changeOf(session, { written: [entry('saved', 'x')] })),
          store.update({
            id,
            userId,
            lifetime,
            key: bytes('u'),
            expected: null,
            value: bytes('x'),
          }),
          store.touch({ id, lifetime }),
        ])
      const before = writeAll()
      const destroyed = store.destroy({ id })
      const after = writeAll()
      assert.equal((await destroyed).status, 'ended')
      await Promise.all([before, after])
      assert.equal(await statusOf(store, session), 'unknown')
      assert.deepEqual(await contentOf(store, await begin(store, { id })), {})
    }
  })

  test('purges each dead session once beside other purgers and traffic', async ({
    store,
    elapse,
  }) => {
    await inParallel(30, () => begin(store))
    await elapse(2 * HOUR)
    const living = await inParallel(10, () => begin(store))
    const touches = living.map(({ id }) => store.touch({ id, lifetime }))
    let purged = (await inParallel(5, () => store.purge(10))).reduce((sum, n) => sum + n, 0)
    await Promise.all(touches)
    for (let n = await store.purge(10); n > 0; n = await store.purge(10)) purged += n
    assert.equal(purged, 30)
    assert.deepEqual(await store.count(), { live: 10, expired: 0 })
  })
}
