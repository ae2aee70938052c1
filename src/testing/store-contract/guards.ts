import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import {
  assertClose,
  type Begun,
  begin,
  bytes,
  contentOf,
  entry,
  HOUR,
  inParallel,
  lifetime,
  MINUTE,
  recordOf,
  sample,
  save,
  statusOf,
} from './samples.ts'

/** User ids that an array, a list or a path in SQL could take apart. */
const AWKWARD_USERS = ['CORP\\ann', 'a"b', "a'b", '{a,b}', 'null', 'NULL', ' ann ', '\\', 'ä🙂']

/** What must not slip through when a store puts many calls into one statement. */
export function guardTests(test: StoreTest): void {
  test('keeps each session with its user to the letter', async ({ store }) => {
    // One after the other: a statement that one of them broke would be tried again, one by one.
    for (const userId of AWKWARD_USERS) {
      const session = await begin(store, { userId })
      assert.equal((await recordOf(store, session)).userId, userId)
      await save(store, session, { written: [entry('a', '1')] })
      assert.deepEqual(await contentOf(store, session), { a: '1' })
    }
  })

  test('keeps each of many sessions that begin and change at once to its own entries', async ({
    store,
  }) => {
    const sessions = await inParallel(6, (n) => begin(store, { entries: [entry('own', `${n}`)] }))
    await inParallel(6, (n) =>
      save(store, sessions[n] as Begun, { written: [entry(`key ${n}`, `${n}`)] }),
    )
    for (const [n, session] of sessions.entries()) {
      assert.deepEqual(await contentOf(store, session), { own: `${n}`, [`key ${n}`]: `${n}` })
    }
  })

  test('answers that an id is taken, and keeps its session, whichever has an owner', async ({
    store,
  }) => {
    const session = await begin(store, { userId: 'ann', entries: [entry('a', '1')] })
    const results = await inParallel(3, () => store.create(sample({ id: session.id })))
    assert.deepEqual(results, Array(3).fill({ status: 'taken' }))
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test('gives an id to one of several callers who create it at once', async ({ store }) => {
    const id = sample().id
    const sessions = Array.from({ length: 4 }, () => sample({ id, entries: [entry('a', '1')] }))
    const results = await Promise.all(sessions.map((session) => store.create(session)))
    assert.deepEqual(results.map(({ status }) => status).sort(), [
      'created',
      ...Array(3).fill('taken'),
    ])
    const statuses = await Promise.all(sessions.map((session) => statusOf(store, session)))
    assert.deepEqual(
      statuses.map((status) => status === 'live'),
      results.map(({ status }) => status === 'created'),
    )
  })

  test("ends no session for an owner of null: not a user's, and not a visitor's", async ({
    store,
  }) => {
    const sessions = [await begin(store, { userId: 'ann' }), await begin(store)]
    for (const { id } of sessions) {
      const owner = null as unknown as string
      assert.deepEqual(await store.destroy({ id, owner }), { status: 'gone' })
    }
    for (const session of sessions) assert.equal(await statusOf(store, session), 'live')
  })

  test('changes no entry by an update, and removes none by a save, for a guard without the owner', async ({
    store,
  }) => {
    const session = await begin(store, { userId: 'ann', entries: [entry('a', '1')] })
    const stale = { id: session.id, userId: null, lifetime }
    for (const value of [null, bytes('2')]) {
      const update = { ...stale, key: bytes('a'), expected: bytes('1'), value }
      assert.deepEqual(await store.update(update), { status: 'gone' })
    }
    const added = { ...stale, key: bytes('b'), expected: null, value: bytes('2') }
    assert.deepEqual(await store.update(added), { status: 'gone' })
    assert.deepEqual(await store.take({ ...stale, key: bytes('a') }), { status: 'gone' })
    const change = { ...stale, deleted: [bytes('a')], written: [] }
    assert.deepEqual(await store.save(change), { status: 'gone' })
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test("goes by a session's own idle timeout whatever the caller takes it for", async ({
    store,
  }) => {
    const session = await begin(store, {
      ownIdleTimeout: 3 * HOUR,
      lifetime: { idle: 3 * HOUR, purge: 3 * HOUR },
    })
    const mistaken = { idle: 4 * HOUR, purge: 4 * HOUR }
    await store.touch({ id: session.id, lifetime: mistaken })
    const touched = await recordOf(store, session)
    assertClose(touched.expiresAt - touched.lastAccessAt, 3 * HOUR, 'the deadline after a touch')
    const { times } = await save(store, session, { lifetime: mistaken })
    assertClose(times.expiresAt - times.lastAccessAt, 3 * HOUR, 'the deadline after a save')
    const short = { idle: MINUTE, purge: MINUTE }
    await store.touch({ id: session.id, lifetime: short })
    const record = await recordOf(store, session)
    assertClose(record.expiresAt - record.lastAccessAt, 3 * HOUR, 'the deadline in the end')
  })
}
