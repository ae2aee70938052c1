import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import {
  begin,
  bytes,
  contentOf,
  entry,
  HOUR,
  lifetime,
  randomHash,
  recordOf,
  rotation,
  sample,
  save,
  statusOf,
} from './samples.ts'

/** Which tokens open a session, and how they change. */
export function tokenTests(test: StoreTest): void {
  proofTests(test)
  rotationTests(test)
}

function proofTests(test: StoreTest): void {
  test('opens a session to its token', async ({ store }) => {
    const session = await begin(store)
    assert.equal((await recordOf(store, session)).previousToken, null)
  })

  test('opens a session when any hash shown is right', async ({ store }) => {
    const { id, secretHash } = await begin(store)
    const secretHashes = [randomHash(), secretHash, randomHash()]
    assert.equal((await store.load({ id, secretHashes })).status, 'live')
  })

  test('knows no session by a wrong token', async ({ store }) => {
    const session = await begin(store)
    const { id, secretHash } = session
    const flipped = Uint8Array.from(secretHash)
    flipped[31] = (flipped[31] ?? 0) ^ 1
    const other = await begin(store)
    const wrong = [
      randomHash(),
      other.secretHash,
      flipped,
      secretHash.subarray(0, 31),
      Uint8Array.of(...secretHash, 0),
      new Uint8Array(),
      new Uint8Array(32),
    ]
    for (const hash of wrong) assert.equal(await statusOf(store, session, hash), 'unknown')
    assert.deepEqual(await store.load({ id, secretHashes: wrong }), { status: 'unknown' })
  })

  test('knows no session by an id alone', async ({ store }) => {
    const { id } = await begin(store)
    assert.deepEqual(await store.load({ id, secretHashes: [] }), { status: 'unknown' })
  })

  test('knows no session that was never created, and makes none', async ({ store }) => {
    assert.equal(await statusOf(store, sample()), 'unknown')
    assert.deepEqual(await store.count(), { live: 0, expired: 0 })
  })

  test('answers rather than fails when asked for what cannot be an id', async ({ store }) => {
    for (const id of ['', 'no-id', "'; --", '\u0000', '\ud800', 'x'.repeat(4096)]) {
      const secretHashes = [randomHash()]
      assert.deepEqual(await store.load({ id, secretHashes }), { status: 'unknown' })
      assert.equal((await store.destroy({ id })).status, 'gone')
      await store.touch({ id, lifetime })
    }
  })

  test('says of a dead session whose it was, to its token only', async ({ store, elapse }) => {
    const session = await begin(store, { userId: 'ann' })
    await elapse(2 * HOUR)
    const { id, secretHash } = session
    const answer = await store.load({ id, secretHashes: [randomHash(), secretHash] })
    assert.deepEqual(answer, { status: 'expired', id, userId: 'ann' })
    assert.equal(await statusOf(store, session, randomHash()), 'unknown')
  })
}

function rotationTests(test: StoreTest): void {
  test('replaces a token at once and for good', async ({ store }) => {
    const session = await begin(store)
    const to = randomHash()
    const { rotated } = await save(store, session, {
      credentials: rotation(session.secretHash, to),
    })
    assert.equal(rotated, true)
    assert.equal(await statusOf(store, session), 'unknown')
    assert.equal((await recordOf(store, session, to)).previousToken, null)
  })

  test('keeps all but the token when it replaces the token', async ({ store }) => {
    const session = await begin(store, { userId: 'ann', entries: [entry('a', '1')] })
    const before = await recordOf(store, session)
    const to = randomHash()
    await save(store, session, { credentials: rotation(session.secretHash, to) })
    const after = await recordOf(store, session, to)
    for (const kept of [
      'id',
      'userId',
      'createdAt',
      'authenticatedAt',
      'absoluteExpiresAt',
    ] as const) {
      assert.equal(after[kept], before[kept])
    }
    assert.deepEqual(await contentOf(store, session, to), { a: '1' })
  })

  test('replaces a token together with the entries of the same save', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '1'), entry('b', '1')] })
    const to = randomHash()
    await save(store, session, {
      written: [entry('a', '2')],
      deleted: [bytes('b')],
      credentials: rotation(session.secretHash, to),
    })
    assert.deepEqual(await contentOf(store, session, to), { a: '2' })
  })

  test('replaces a token shown under any accepted pepper', async ({ store }) => {
    const session = await begin(store)
    const token = { from: [randomHash(), session.secretHash], to: randomHash() }
    assert.equal((await save(store, session, { credentials: { token } })).rotated, true)
    assert.equal(await statusOf(store, session, token.to), 'live')
  })

  test('does not replace a token for one that holds another, but saves the rest', async ({
    store,
  }) => {
    const session = await begin(store)
    const current = randomHash()
    await save(store, session, { credentials: rotation(session.secretHash, current) })
    const late = randomHash()
    const { rotated } = await save(store, session, {
      written: [entry('a', '1')],
      credentials: rotation(session.secretHash, late),
    })
    assert.equal(rotated, false)
    assert.equal(await statusOf(store, session, late), 'unknown')
    assert.deepEqual(await contentOf(store, session, current), { a: '1' })
  })

  test('does not replace a token when no hash is shown', async ({ store }) => {
    const session = await begin(store)
    const token = { from: [], to: randomHash() }
    assert.equal((await save(store, session, { credentials: { token } })).rotated, false)
    assert.equal(await statusOf(store, session), 'live')
    assert.equal(await statusOf(store, session, token.to), 'unknown')
  })

  test('claims no rotation for a save without one', async ({ store }) => {
    const session = await begin(store)
    const credentials = { ownIdleTimeout: 2 * HOUR }
    assert.equal((await save(store, session)).rotated, false)
    assert.equal((await save(store, session, { credentials })).rotated, false)
    assert.equal(await statusOf(store, session), 'live')
  })
}
