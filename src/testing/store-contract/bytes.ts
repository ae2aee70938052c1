import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { MOST_KEY_BYTES } from '../../store/key-limit.ts'
import type { Entry } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import { begin, bytes, contentOf, entry, lifetime, randomHash, recordOf, save } from './samples.ts'

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)

/** What goes in comes out, whatever the bytes, and no caller shares a buffer with the store. */
export function byteTests(test: StoreTest): void {
  test('keeps every byte of keys and values', async ({ store }) => {
    const given = { key: everyByte, value: everyByte.toReversed() }
    const session = await begin(store, { entries: [given] })
    assertSame((await recordOf(store, session)).entries, [given])
  })

  test('keeps a key and a value of no bytes', async ({ store }) => {
    const nothing = new Uint8Array()
    const given = [
      { key: nothing, value: bytes('value') },
      { key: bytes('key'), value: nothing },
    ]
    const session = await begin(store)
    await save(store, session, { written: given })
    assertSame((await recordOf(store, session)).entries, given)
  })

  test('tells keys apart by their bytes alone', async ({ store }) => {
    const keys = [[], [0], [0, 0], [97], [97, 0], [65], [0xc3, 0xa9], [0x65, 0xcc, 0x81], [0xe9]]
    const given = keys.map((key, index) => ({
      key: Uint8Array.from(key),
      value: Uint8Array.of(index),
    }))
    const session = await begin(store, { entries: given })
    assertSame((await recordOf(store, session)).entries, given)
    const [, removed] = given
    assert.ok(removed)
    await save(store, session, { deleted: [removed.key] })
    const kept = given.filter((one) => one !== removed)
    assertSame((await recordOf(store, session)).entries, kept)
  })

  test('updates and takes by bytes', async ({ store }) => {
    const { id, userId, ...session } = await begin(store, {
      entries: [{ key: everyByte, value: everyByte }],
    })
    const guard = { id, userId, lifetime, key: everyByte }
    const value = everyByte.toReversed()
    const updated = await store.update({ ...guard, expected: everyByte, value })
    assert.deepEqual(updated, { status: 'updated' })
    const refused = await store.update({ ...guard, expected: everyByte, value: null })
    assert.equal(refused.status, 'changed')
    assert.equal(hexOf(refused.current), hexOf(value))
    const taken = await store.take(guard)
    assert.equal(taken.status, 'taken')
    assert.equal(hexOf(taken.value), hexOf(value))
    assert.deepEqual(await contentOf(store, { ...session, id, userId }), {})
  })

  test('keeps a value of a mebibyte', async ({ store }) => {
    const value = new Uint8Array(randomBytes(1024 * 1024))
    const session = await begin(store)
    await save(store, session, { written: [{ key: bytes('large'), value }] })
    const [stored] = (await recordOf(store, session)).entries
    assert.ok(stored && Buffer.compare(stored.value, value) === 0)
  })

  test('writes, loads and removes a thousand entries at once', async ({ store }) => {
    const written = Array.from({ length: 1000 }, (_, index) => entry(`key-${index}`, `${index}`))
    const session = await begin(store)
    await save(store, session, { written })
    assertSame((await recordOf(store, session)).entries, written)
    await save(store, session, { deleted: written.slice(1).map(({ key }) => key) })
    assert.deepEqual(await contentOf(store, session), { 'key-0': '0' })
  })

  test('begins a session with a thousand entries', async ({ store }) => {
    const entries = Array.from({ length: 1000 }, (_, index) => entry(`key-${index}`, `${index}`))
    assertSame((await recordOf(store, await begin(store, { entries }))).entries, entries)
  })

  test('takes of a view only the bytes that it shows', async ({ store }) => {
    const shown = (text: string) => bytes(`<<${text}>>`).subarray(2, -2)
    const secretHash = bytes(`<<${'h'.repeat(32)}>>`).subarray(2, -2)
    const session = await begin(store, {
      secretHash,
      entries: [{ key: shown('a'), value: shown('1') }],
    })
    await save(store, session, { written: [{ key: shown('b'), value: shown('2') }] })
    assert.deepEqual(await contentOf(store, session), { a: '1', b: '2' })
  })

  test('does not notice when a caller reuses the buffers it gave', async ({ store }) => {
    const [first, second, third] = [entry('a', '1'), entry('b', '2'), entry('c', '3')]
    const given = randomHash()
    const session = await begin(store, { secretHash: given, entries: [first] })
    await save(store, session, { written: [second] })
    const { id, userId } = session
    await store.update({ id, userId, lifetime, key: third.key, expected: null, value: third.value })
    const kept = Uint8Array.from(given)
    for (const buffer of [given, ...[first, second, third].flatMap((e) => [e.key, e.value])]) {
      buffer.fill(0)
    }
    assert.deepEqual(await contentOf(store, session, kept), { a: '1', b: '2', c: '3' })
  })

  test('does not notice when a caller reuses a new token given to it', async ({ store }) => {
    const session = await begin(store)
    const to = randomHash()
    const kept = Uint8Array.from(to)
    await save(store, session, { credentials: { token: { from: [session.secretHash], to } } })
    to.fill(0)
    assert.deepEqual(await contentOf(store, session, kept), {})
  })

  test('gives each caller bytes of its own', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    const { id, userId } = session
    const refused = await store.update({
      id,
      userId,
      lifetime,
      key: bytes('a'),
      expected: null,
      value: null,
    })
    assert.ok(refused.status === 'changed' && refused.current)
    refused.current.fill(0)
    for (const { key, value } of (await recordOf(store, session)).entries) {
      key.fill(0)
      value.fill(0)
    }
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })

  test('keeps the longest key that a session may have', async ({ store }) => {
    const key = new Uint8Array(randomBytes(MOST_KEY_BYTES))
    const session = await begin(store, { entries: [{ key, value: bytes('1') }] })
    const { entries } = await recordOf(store, session)
    assert.deepEqual(entries.map(hexOfKey), [hexOf(key)])
  })

  test('lets no answer hold the hash of a token', async ({ store }) => {
    const session = await begin(store, { userId: 'ann', entries: [entry('a', '1')] })
    const to = randomHash()
    const { id, userId, secretHash } = session
    const answers = [
      await store.load({ id, secretHashes: [secretHash] }),
      await store.listByUser('ann'),
      await save(store, session, { credentials: { token: { from: [secretHash], to } } }),
      await store.load({ id, secretHashes: [to] }),
      await store.replace(
        { id, userId, secretHashes: [session.secretHash] },
        { ...session, id: crypto.randomUUID() },
      ),
    ]
    const told = byteArraysIn(answers).map(hexOf)
    assert.ok(told.length > 0)
    assert.ok(!told.includes(hexOf(secretHash)) && !told.includes(hexOf(to)))
    const text = JSON.stringify(answers)
    for (const hash of [secretHash, to]) {
      for (const spelling of ['hex', 'base64', 'base64url'] as const) {
        assert.ok(!text.includes(Buffer.from(hash).toString(spelling)))
      }
    }
  })
}

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes).toString('hex')
}

/** Compares as a set: no store need keep an order, or name bytes by the class the caller used. */
function assertSame(actual: readonly Entry[], expected: readonly Entry[]): void {
  const spell = (entries: readonly Entry[]) =>
    entries.map(({ key, value }) => `${hexOf(key)}=${hexOf(value)}`).sort()
  assert.deepEqual(spell(actual), spell(expected))
}

function byteArraysIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(byteArraysIn)
}

function hexOfKey({ key }: { readonly key: Uint8Array }): string | null {
  return hexOf(key)
}
