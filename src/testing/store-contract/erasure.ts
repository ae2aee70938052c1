import assert from 'node:assert/strict'
import type { EndedPage, EndingPage, SessionStore } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import { begin, entry, HOUR, inParallel, rotation, save, statusOf, textsOf } from './samples.ts'

/** All that is stored of a user, and the end of all sessions. Stores that cannot do it lack the methods. */
export function erasureTests(test: StoreTest): void {
  test("reads all of a user's stored sessions with their entries, dead ones included", async ({
    store,
    elapse,
  }) => {
    if (store.readUser === undefined) return
    const dead = await begin(store, { userId: 'ann', entries: [entry('a', '1')] })
    await elapse(2 * HOUR)
    const live = await begin(store, { userId: 'ann', entries: [entry('b', '2'), entry('c', '')] })
    await begin(store, { userId: 'Ann', entries: [entry('no', 'no')] })
    await begin(store, { entries: [entry('no', 'no')] })
    const read = await store.readUser('ann')
    const found = Object.fromEntries(read.map(({ id, entries }) => [id, textsOf(entries)]))
    assert.deepEqual(found, { [dead.id]: { a: '1' }, [live.id]: { b: '2', c: '' } })
    const { entries: _, now: __, ...summary } = read.find(({ id }) => id === live.id) ?? {}
    const [listed] = await store.listByUser('ann')
    assert.deepEqual({ ...listed, ...summary }, listed)
    assert.deepEqual(await store.readUser('eve'), [])
  })

  test('leaves nothing to read of a user whose sessions were all ended', async ({ store }) => {
    if (store.readUser === undefined) return
    await begin(store, { userId: 'ann', entries: [entry('a', '1')] })
    await store.destroyByUser('ann', [])
    assert.deepEqual(await store.readUser('ann'), [])
  })

  test('ends all sessions page by page, and tells which were live and whose', async ({
    store,
    elapse,
  }) => {
    if (store.destroyPage === undefined) return
    await begin(store, { userId: 'ann' })
    await elapse(2 * HOUR)
    const live = [
      await begin(store, { userId: 'ann', entries: [entry('a', '1')] }),
      await begin(store, { userId: 'bob' }),
      await begin(store),
    ]
    const { ended, pages } = await endAll(store, 2)
    const users = live.map(({ id, userId }) => ({ id, userId }))
    assert.deepEqual([...ended].sort(byId), users.sort(byId))
    assert.equal(pages, 3)
    for (const session of live) assert.equal(await statusOf(store, session), 'unknown')
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })

  test('leaves sessions alone that begin after the first page', async ({ store, elapse }) => {
    if (store.destroyPage === undefined) return
    for (let made = 0; made < 3; made += 1) await begin(store, { userId: 'ann' })
    const { next } = await store.destroyPage({ after: null, before: null, limit: 1 })
    assert.ok(next)
    await elapse(10)
    const late = await begin(store, { userId: 'ann' })
    await endAll(store, 100, { after: null, before: next.before })
    assert.equal(await statusOf(store, late), 'live')
    assert.deepEqual(await store.count(), { live: 1, expired: 0 })
  })

  test('ends each session once when several callers end all at once, beside traffic', async ({
    store,
  }) => {
    const { destroyPage } = store
    if (destroyPage === undefined) return
    const sessions = await inParallel(40, (n) => begin(store, { userId: `user ${n}` }))
    const traffic = sessions.map((session) =>
      store.save({ ...session, written: [entry('a', '1')], deleted: [] }),
    )
    const signIns = sessions.slice(0, 10).map(async (session) => {
      const signIn = { userId: session.userId as string }
      await store
        .save({
          ...session,
          written: [],
          deleted: [],
          credentials: { ...rotation(session.secretHash), signIn },
        })
        .catch(() => undefined)
    })
    const [results] = await Promise.all([
      inParallel(4, () => endAll(store, 7)),
      Promise.allSettled([...traffic, ...signIns]),
    ])
    const ids = results.flatMap(({ ended }) => ended.map(({ id }) => id))
    assert.deepEqual([...ids].sort(), sessions.map(({ id }) => id).sort())
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })

  test('brings nothing back by a save after all sessions were ended', async ({ store }) => {
    if (store.destroyPage === undefined) return
    const session = await begin(store, { userId: 'ann' })
    await endAll(store, 100)
    await assert.rejects(save(store, session, { written: [entry('a', '1')] }))
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })
}

async function endAll(
  store: SessionStore,
  limit: number,
  from: Pick<EndingPage, 'after' | 'before'> = { after: null, before: null },
): Promise<{ ended: { id: string; userId: string | null }[]; pages: number }> {
  const ended: { id: string; userId: string | null }[] = []
  let page: Pick<EndingPage, 'after' | 'before'> | null = from
  let pages = 0
  while (page !== null) {
    const answer: EndedPage | undefined = await store.destroyPage?.({ ...page, limit })
    ended.push(...(answer?.ended ?? []))
    pages += 1
    page = answer?.next ?? null
  }
  return { ended, pages }
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1
}
