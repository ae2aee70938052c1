import assert from 'node:assert/strict'
import type { SessionStore, StoredValue, ValuePlace } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import { begin, bytes, contentOf, entry, HOUR, inParallel, save } from './samples.ts'

/** Going through the values of all sessions. A store that cannot lacks `readValues` and `replaceValues`. */
export function storedValueTests(test: StoreTest): void {
  test('reads the values of all sessions page by page, each once, those of dead sessions too', async ({
    store,
    elapse,
  }) => {
    if (store.readValues === undefined) return
    const entries = [entry('b', '2'), entry('a', '1'), entry('c', '3')]
    const sessions = await inParallel(3, () => begin(store, { entries }))
    await begin(store)
    await elapse(2 * HOUR)
    const read = await readAll(store, { limit: 2, bytes: 1000 })
    const expected = sessions.flatMap(({ id }) => ['a', 'b', 'c'].map((key) => `${id} ${key}`))
    assert.deepEqual(read.map(nameOf), expected.sort())
    assert.deepEqual(new Set(read.map(({ value }) => text(value))), new Set(['1', '2', '3']))
  })

  test('ends a page at the bytes asked for, and has at least one value', async ({ store }) => {
    if (store.readValues === undefined) return
    const entries = ['a', 'b', 'c'].map((key) => entry(key, 'x'.repeat(100)))
    await begin(store, { entries })
    const sizes = [1, 150, 250, 1000].map(async (bytes) => {
      const page = await store.readValues?.({ after: null, limit: 10, bytes })
      return page?.length
    })
    assert.deepEqual(await Promise.all(sizes), [1, 2, 3, 3])
  })

  test('replaces a value that is as it was read, and leaves one that was changed or deleted', async ({
    store,
  }) => {
    if (store.replaceValues === undefined) return
    const entries = [entry('same', '1'), entry('changed', '1'), entry('deleted', '1')]
    const session = await begin(store, { entries })
    await save(store, session, { written: [entry('changed', '2')], deleted: [bytes('deleted')] })
    const replacements = ['same', 'changed', 'deleted', 'never'].map((key) => ({
      sessionId: session.id,
      key: bytes(key),
      expected: bytes('1'),
      value: bytes('new'),
    }))
    assert.equal(await store.replaceValues(replacements), 1)
    assert.deepEqual(await contentOf(store, session), { same: 'new', changed: '2' })
    assert.equal(await store.replaceValues(replacements), 0)
  })

  test('replaces values beside writers of the same sessions, and loses none of their changes', async ({
    store,
  }) => {
    if (store.replaceValues === undefined) return
    const entries = [entry('a', '0'), entry('b', '0')]
    const sessions = await inParallel(4, () => begin(store, { entries }))
    const replacing = inParallel(4, async (n) => {
      const replacements = sessions.flatMap(({ id: sessionId }) =>
        ['b', 'a'].map((key) => ({
          sessionId,
          key: bytes(key),
          expected: bytes('0'),
          value: bytes(`replaced ${n}`),
        })),
      )
      await store.replaceValues?.(replacements)
    })
    const writing = sessions.map((session) =>
      save(store, session, { written: [entry('b', 'written'), entry('a', 'written')] }),
    )
    await Promise.all([replacing, ...writing])
    for (const session of sessions) {
      assert.deepEqual(await contentOf(store, session), { a: 'written', b: 'written' })
    }
  })
}

async function readAll(
  store: SessionStore,
  limits: { readonly limit: number; readonly bytes: number },
): Promise<StoredValue[]> {
  const read: StoredValue[] = []
  for (let after: ValuePlace | null = null; ; after = read.at(-1) ?? null) {
    const page: readonly StoredValue[] = (await store.readValues?.({ after, ...limits })) ?? []
    if (page.length === 0) return read
    assert.ok(page.length <= limits.limit)
    read.push(...page)
  }
}

function nameOf({ sessionId, key }: StoredValue): string {
  return `${sessionId} ${text(key)}`
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value)
}
