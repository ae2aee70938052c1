import assert from 'node:assert/strict'
import type { EntryUpdate, Precondition, TakeResult } from '../../store/session-store.ts'
import type { StoreHarness, StoreTest } from './harness.ts'
import {
  begin,
  bytes,
  changeOf,
  contentOf,
  entry,
  guardOf,
  lifetime,
  sample,
  save,
} from './samples.ts'
import { guardedWrites } from './writes.ts'

/** Writing, updating and taking the entries of a session. */
export function entryTests(test: StoreTest): void {
  saveTests(test)
  updateTests(test)
  takeTests(test)
  guardTests(test)
}

function saveTests(test: StoreTest): void {
  test('writes and removes the keys named and leaves the others', async ({ store }) => {
    const session = await begin(store, {
      entries: [entry('a', 'old'), entry('b', 'old'), entry('c', 'old')],
    })
    await save(store, session, {
      written: [entry('a', 'new'), entry('d', 'new')],
      deleted: [bytes('b')],
    })
    assert.deepEqual(await contentOf(store, session), { a: 'new', c: 'old', d: 'new' })
  })

  test('removes a key that is not there without complaint', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    await save(store, session, { deleted: [bytes('b')] })
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test('keeps the entries when a save changes none', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    assert.equal((await save(store, session)).rotated, false)
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test('writes a key again that was removed', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    await save(store, session, { deleted: [bytes('a')] })
    await save(store, session, { written: [entry('a', '2')] })
    assert.deepEqual(await contentOf(store, session), { a: '2' })
  })
}

function updateTests(test: StoreTest): void {
  const update = (
    store: StoreHarness['store'],
    { id, userId }: Precondition,
    expected: string | null,
    value: string | null,
  ) => store.update(updateOf({ id, userId }, expected, value))

  test('updates an entry that holds what the caller saw', async ({ store }) => {
    const session = await begin(store, { entries: [entry('n', '1'), entry('m', '1')] })
    assert.deepEqual(await update(store, session, '1', '2'), { status: 'updated' })
    assert.deepEqual(await contentOf(store, session), { n: '2', m: '1' })
  })

  test('makes an entry where the caller saw none', async ({ store }) => {
    const session = await begin(store)
    assert.deepEqual(await update(store, session, null, '1'), { status: 'updated' })
    assert.deepEqual(await contentOf(store, session), { n: '1' })
  })

  test('removes an entry that holds what the caller saw', async ({ store }) => {
    const session = await begin(store, { entries: [entry('n', '1')] })
    assert.deepEqual(await update(store, session, '1', null), { status: 'updated' })
    assert.deepEqual(await contentOf(store, session), {})
  })

  test('takes the removal of an absent entry for done', async ({ store }) => {
    const session = await begin(store)
    assert.deepEqual(await update(store, session, null, null), { status: 'updated' })
    assert.deepEqual(await contentOf(store, session), {})
  })

  test('refuses to update what has changed, and tells what the key holds', async ({ store }) => {
    const session = await begin(store, { entries: [entry('n', '2')] })
    for (const expected of ['1', null, '', '22']) {
      for (const value of ['3', null]) {
        const result = await update(store, session, expected, value)
        assert.equal(result.status, 'changed')
        assert.deepEqual(textOf(result.current), '2')
      }
    }
    assert.deepEqual(await contentOf(store, session), { n: '2' })
  })

  test('refuses to update what is no longer there, and tells so', async ({ store }) => {
    const session = await begin(store)
    for (const value of ['3', null]) {
      const result = await update(store, session, '1', value)
      assert.deepEqual(result, { status: 'changed', current: null })
    }
    assert.deepEqual(await contentOf(store, session), {})
  })

  test('refuses a key or value that is not bytes, and changes nothing', async ({ store }) => {
    const session = await begin(store, { entries: [entry('n', '1')] })
    const { id, userId } = session
    const guard = { id, userId, lifetime }
    const refused = { name: 'InvalidValueError' }
    for (const wrong of [10n, 'n', 1, {}] as never[]) {
      const updates = [
        { ...guard, key: wrong, expected: null, value: bytes('2') },
        { ...guard, key: wrong, expected: null, value: null },
        { ...guard, key: bytes('n'), expected: bytes('1'), value: wrong },
      ]
      for (const update of updates) await assert.rejects(store.update(update), refused)
      await assert.rejects(store.take({ ...guard, key: wrong }), refused)
      const written = [entry('m', '1'), { key: bytes('n'), value: wrong }]
      await assert.rejects(store.save(changeOf(session, { written })), refused)
    }
    assert.deepEqual(await contentOf(store, session), { n: '1' })
  })

  test('tells an empty value from none when it updates', async ({ store }) => {
    const session = await begin(store)
    assert.deepEqual(await update(store, session, '', 'x'), { status: 'changed', current: null })
    assert.deepEqual(await update(store, session, null, ''), { status: 'updated' })
    const refused = await update(store, session, null, 'x')
    assert.equal(refused.status, 'changed')
    assert.deepEqual(textOf(refused.current), '')
    assert.deepEqual(await update(store, session, '', 'x'), { status: 'updated' })
    assert.deepEqual(await contentOf(store, session), { n: 'x' })
  })
}

function takeTests(test: StoreTest): void {
  const take = async (
    store: StoreHarness['store'],
    { id, userId }: Precondition,
    key: string,
  ): Promise<TakeResult> => store.take({ id, userId, lifetime, key: bytes(key) })

  test('gives a taken value once and keeps the other entries', async ({ store }) => {
    const session = await begin(store, { entries: [entry('flash', 'saved'), entry('a', '1')] })
    const first = await take(store, session, 'flash')
    assert.equal(first.status, 'taken')
    assert.equal(textOf(first.value), 'saved')
    assert.deepEqual(await take(store, session, 'flash'), { status: 'taken', value: null })
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test('takes nothing where there is nothing', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    assert.deepEqual(await take(store, session, 'flash'), { status: 'taken', value: null })
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test('takes an empty value as a value', async ({ store }) => {
    const session = await begin(store, { entries: [entry('flash', '')] })
    const result = await take(store, session, 'flash')
    assert.equal(result.status, 'taken')
    assert.equal(textOf(result.value), '')
  })
}

function guardTests(test: StoreTest): void {
  for (const { name, run } of guardedWrites) {
    test(`answers 'gone' to ${name} for a session that never was, and makes none`, async ({
      store,
    }) => {
      const session = sample()
      assert.equal(await run(store, guardOf(session)), 'gone')
      assert.equal((await store.load({ id: session.id, secretHashes: [] })).status, 'unknown')
      assert.deepEqual(await store.count(), { live: 0, expired: 0 })
    })

    test(`answers 'gone' to ${name} in the name of anybody but the user`, async ({ store }) => {
      const entries = [entry('late', 'kept')]
      const ann = await begin(store, { userId: 'ann', entries })
      const stranger = await begin(store, { entries })
      assert.equal(await run(store, { ...guardOf(ann), userId: 'eve' }), 'gone')
      assert.equal(await run(store, { ...guardOf(ann), userId: null }), 'gone')
      assert.equal(await run(store, { ...guardOf(ann), userId: '' }), 'gone')
      assert.equal(await run(store, { ...guardOf(stranger), userId: 'eve' }), 'gone')
      assert.equal(await run(store, { ...guardOf(stranger), userId: '' }), 'gone')
      assert.deepEqual(await contentOf(store, ann), { late: 'kept' })
      assert.deepEqual(await contentOf(store, stranger), { late: 'kept' })
    })
  }
}

function updateOf(guard: Precondition, expected: string | null, value: string | null): EntryUpdate {
  const encode = (text: string | null) => (text === null ? null : bytes(text))
  return {
    ...guard,
    lifetime,
    key: bytes('n'),
    expected: encode(expected),
    value: encode(value),
  }
}

function textOf(value: Uint8Array | null): string | null {
  return value && new TextDecoder().decode(value)
}
