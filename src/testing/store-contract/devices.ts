import assert from 'node:assert/strict'
import type { SessionStore } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import { begin, guardOf, HOUR, inParallel, recordOf, rotation, sample, save } from './samples.ts'

/** What is said of devices. A store that keeps none lacks `describe`. */
export function deviceTests(test: StoreTest): void {
  const device = '{"label":"Ann\u2019s \\"phone\\""}'

  test('lists what was said of a device, the last word, and no load reads it', async ({
    store,
  }) => {
    const { describe } = store
    if (describe === undefined) return
    const session = await begin(store, { userId: 'ann' })
    assert.deepEqual(await deviceOf(store), [undefined])
    for (const text of ['{"label":"a"}', device]) {
      const result = await store.describe?.({ ...guardOf(session), device: text })
      assert.deepEqual(result, { status: 'described' })
    }
    assert.deepEqual(await deviceOf(store), [JSON.parse(device)])
    assert.ok(!('device' in (await recordOf(store, session))))
    await store.describe?.({ ...guardOf(session), device: null })
    assert.deepEqual(await deviceOf(store), [undefined])
  })

  test('keeps what was said of a device over a new token and another sign-in of the user', async ({
    store,
  }) => {
    if (store.describe === undefined) return
    const session = await begin(store, { userId: 'ann' })
    await store.describe({ ...guardOf(session), device })
    const credentials = { ...rotation(session.secretHash), signIn: { userId: 'ann' } }
    await save(store, session, { credentials })
    assert.deepEqual(await deviceOf(store), [JSON.parse(device)])
  })

  test("describes neither a dead session nor another user's, nor one from before a sign-in", async ({
    store,
    elapse,
  }) => {
    const { describe } = store
    if (describe === undefined) return
    const session = await begin(store, { userId: 'ann' })
    const { version } = await recordOf(store, session)
    const credentials = { ...rotation(session.secretHash), signIn: { userId: 'ann' } }
    await save(store, session, { credentials })
    const strangers = [
      { ...guardOf(session), userId: 'bob' },
      { ...guardOf(session), userId: null },
      { ...guardOf(session), version },
      guardOf(sample({ userId: 'ann' })),
      { id: 'no-id', userId: 'ann' },
    ]
    for (const guard of strangers) {
      assert.deepEqual(await store.describe?.({ ...guard, device }), { status: 'gone' })
    }
    assert.deepEqual(await deviceOf(store), [undefined])
    await elapse(2 * HOUR)
    assert.deepEqual(await store.describe?.({ ...guardOf(session), device }), { status: 'gone' })
  })

  test('keeps one of the descriptions that come at once, whole', async ({ store }) => {
    if (store.describe === undefined) return
    const session = await begin(store, { userId: 'ann' })
    await inParallel(10, async (n) => {
      await store.describe?.({ ...guardOf(session), device: `{"label":"${n}","n":${n}}` })
    })
    const [kept] = await deviceOf(store)
    const { label, n } = kept as { label: string; n: number }
    assert.equal(label, String(n))
  })
}

async function deviceOf(store: SessionStore): Promise<unknown[]> {
  const listed = await store.listByUser('ann')
  return listed.map(({ device }) => (device === undefined ? undefined : JSON.parse(device)))
}
