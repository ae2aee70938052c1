import assert from 'node:assert/strict'
import type { SessionStore } from '../../store/session-store.ts'
import type { StoreHarness, StoreTest } from './harness.ts'
import {
  assertClose,
  begin,
  changeOf,
  DAY,
  guardOf,
  HOUR,
  inParallel,
  lifetime,
  rotation,
  sample,
} from './samples.ts'

/** What a store tells watchers of sessions. A store that tells nothing passes unchanged. */
export function watchingTests(test: StoreTest): void {
  lookingTests(test)
  hintTests(test)
}

function lookingTests(test: StoreTest): void {
  test('finds the live ones of some sessions, whose they are, and how long they have', async (harness) => {
    const { store, elapse } = harness
    if (store.findLive === undefined) return
    const ann = await begin(store, { userId: 'ann' })
    const short = await begin(store, { lifetime: { idle: 1000, purge: 1000 } })
    const stranger = await begin(store)
    const destroyed = await begin(store)
    await begin(store, { userId: 'not asked about' })
    await store.destroy({ id: destroyed.id })
    await elapse(60_000)
    const ids = [destroyed, short, stranger, ann, sample()].map(({ id }) => id)
    const live = await store.findLive(ids)
    const found = new Map(live.map((session) => [session.id, session]))
    assert.deepEqual([...found.keys()].sort(), [ann.id, stranger.id].sort())
    assert.equal(found.get(ann.id)?.userId, 'ann')
    assert.equal(found.get(stranger.id)?.userId, null)
    const remaining = found.get(ann.id)?.remaining ?? 0
    assert.ok(remaining > 0 && remaining <= HOUR - 60_000, `remaining is ${remaining}`)
  })

  test('finds nothing where nothing is asked for, or what is asked for is not an id', async ({
    store,
  }) => {
    await begin(store)
    assert.deepEqual((await store.findLive?.([])) ?? [], [])
    assert.deepEqual((await store.findLive?.(['ann', ''])) ?? [], [])
  })

  test('knows a session without a deadline to have one that never comes', async ({ store }) => {
    const endless = { idle: Number.POSITIVE_INFINITY, purge: Number.POSITIVE_INFINITY }
    const session = await begin(store, { lifetime: endless, absolute: Number.POSITIVE_INFINITY })
    const [live] = (await store.findLive?.([session.id])) ?? [{ remaining: Infinity }]
    assert.equal(live?.remaining, Number.POSITIVE_INFINITY)
  })

  test('does not count looking as an access', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(60_000)
    await store.findLive?.([session.id])
    const result = await store.load({ id: session.id, secretHashes: [session.secretHash] })
    assert.equal(result.status, 'live')
    const { lastAccessAt, createdAt } = result.record
    assertClose(lastAccessAt, createdAt, 'the last access')
  })
}

/** What ends a session, or gives it to another user. */
const ends: Record<string, (harness: StoreHarness, session: Sample) => Promise<unknown>> = {
  'is destroyed': ({ store }, { id }) => store.destroy({ id }),
  'is destroyed with its user': ({ store }, { userId }) => store.destroyByUser(userId ?? '', []),
  'is destroyed with its tag': ({ store }, { tags }) =>
    store.destroyByTag?.(tags?.[0] ?? '', []) ?? store.destroyByUser('ann', []),
  'is replaced': ({ store }, session) => store.replace(guardOf(session), sample()),
  'is signed over to another user': ({ store }, session) =>
    store.save(
      changeOf(session, {
        credentials: { ...rotation(session.secretHash), signIn: { userId: 'bob' } },
      }),
    ),
}

type Sample = Awaited<ReturnType<typeof begin>>

function hintTests(test: StoreTest): void {
  for (const [name, end] of Object.entries(ends)) {
    test(`hints at a session that ${name}, once that can be seen`, async (harness) => {
      const { store } = harness
      const session = await begin(store, {
        userId: 'ann',
        ...(store.tag === undefined ? {} : { tags: ['a'] }),
      })
      await using ear = await openEar(store)
      if (ear === null) return
      await end(harness, session)
      await ear.until(session.id)
      const [live] = (await store.findLive?.([session.id])) ?? []
      assert.notEqual(live?.userId, 'ann')
    })
  }

  test('hints at all that ends at once', async ({ store }) => {
    const many = await inParallel(30, () => begin(store, { userId: 'ann' }))
    await using ear = await openEar(store)
    if (ear === null) return
    await store.destroyByUser('ann', [])
    await Promise.all(many.map(({ id }) => ear.until(id)))
  })

  test('hints at nothing that a session lives through', async ({ store }) => {
    const session = await begin(store, { userId: 'ann' })
    const { id, secretHash } = session
    const last = await begin(store)
    await using ear = await openEar(store)
    if (ear === null) return
    await store.load({ id, secretHashes: [secretHash] })
    await store.touch({ id, lifetime: { idle: DAY, purge: DAY } })
    await store.save(changeOf(session, { credentials: rotation(secretHash) }))
    await store.update({
      ...guardOf(session),
      lifetime,
      key: secretHash,
      expected: null,
      value: secretHash,
    })
    await store.destroy({ id: last.id })
    await ear.until(last.id)
    assert.ok(!ear.heard.includes(id))
  })

  test('hints at nothing more once it is told to stop', async ({ store }) => {
    const session = await begin(store)
    await using stopped = await openEar(store)
    await using other = await openEar(store)
    if (stopped === null || other === null) return
    await stopped.stop()
    await store.destroy({ id: session.id })
    await other.until(session.id)
    assert.ok(!stopped.heard.includes(session.id))
  })
}

interface Ear extends AsyncDisposable {
  readonly heard: readonly (string | null)[]
  until(id: string): Promise<void>
  stop(): Promise<void>
}

/** Resolves once hints come. Null for a store that gives none. */
async function openEar(store: SessionStore): Promise<Ear | null> {
  const heard: (string | null)[] = []
  const waiting = new Map<string | null, () => void>()
  const hints =
    (await store.listen?.((id) => {
      heard.push(id)
      waiting.get(id)?.()
    })) ?? null
  if (hints === null) return null
  const until = (id: string | null): Promise<void> =>
    new Promise((resolve) => {
      waiting.set(id, resolve)
      if (heard.includes(id)) resolve()
    })
  if (!hints.isReliable) await until(null)
  const stop = (): Promise<void> => hints.stop()
  return { heard, until, stop, [Symbol.asyncDispose]: stop }
}
