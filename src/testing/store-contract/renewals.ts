import assert from 'node:assert/strict'
import type { StoreTest } from './harness.ts'
import { lostRenewalTests } from './lost-renewals.ts'
import {
  beginRenewed,
  grace,
  liveOf,
  overlap,
  type Renewed,
  renew,
  renewal,
  SECOND,
} from './renewed.ts'
import {
  assertClose,
  begin,
  bytes,
  contentOf,
  entry,
  inParallel,
  lifetime,
  randomHash,
  recordOf,
  save,
  statusOf,
} from './samples.ts'

/** Renewals: the one change of token after which the old one works on for a while. */
export function renewalTests(test: StoreTest): void {
  graceTests(test)
  endOfGraceTests(test)
  lostRenewalTests(test)
}

function graceTests(test: StoreTest): void {
  test('opens a renewed session to its new token, and to the one before', async (harness) => {
    const { store } = harness
    const { session, old, current } = await beginRenewed(harness)
    const { tokenIssuedAt, previousToken } = await recordOf(store, session, current)
    const until = tokenIssuedAt + grace.duration
    assert.equal(previousToken?.isShown, false)
    assertClose(previousToken.until, until, 'the end of the grace')
    const { previousToken: shown } = await recordOf(store, session, old)
    assert.equal(shown?.isShown, true)
    assertClose(shown.until, until, 'the end of the grace')
  })

  test('keeps all but the token when it renews', async (harness) => {
    const { store } = harness
    const entries = [entry('a', '1')]
    const { session, old, current } = await beginRenewed(harness, { userId: 'ann', entries })
    assert.deepEqual(await contentOf(store, session, old), { a: '1' })
    assert.deepEqual(await contentOf(store, session, current), { a: '1' })
    const { id, userId } = await recordOf(store, session, current)
    assert.deepEqual({ id, userId }, { id: session.id, userId: session.userId })
  })

  test('renews together with the entries of the same save', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '1'), entry('b', '1')] })
    const to = randomHash()
    await save(store, session, {
      written: [entry('a', '2')],
      deleted: [bytes('b')],
      credentials: renewal(session.secretHash, to),
    })
    assert.deepEqual(await contentOf(store, session, to), { a: '2' })
    assert.equal(await statusOf(store, session), 'live')
  })

  test('tells when the token in force was issued', async ({ store, elapse }) => {
    const session = await begin(store)
    await elapse(5 * SECOND)
    const before = await recordOf(store, session)
    assertClose(before.tokenIssuedAt, before.createdAt, 'the issue of the first token')
    const to = randomHash()
    const { times } = await save(store, session, { credentials: renewal(session.secretHash, to) })
    const after = await recordOf(store, session, to)
    assertClose(times.tokenIssuedAt, after.tokenIssuedAt, 'the answer')
    assertClose(after.tokenIssuedAt, times.now, 'the issue of the second token')
  })

  test('refuses the token before once its grace is over', async (harness) => {
    const { store, elapse } = harness
    const { session, old, current } = await beginRenewed(harness)
    await elapse(grace.duration - 5 * SECOND)
    assert.equal(await statusOf(store, session, old), 'live')
    await elapse(5 * SECOND)
    assert.equal(await statusOf(store, session, old), 'reused')
    assert.equal((await recordOf(store, session, current)).previousToken, null)
  })

  test('keeps one token before at most', async (harness) => {
    const { store } = harness
    const { session, old, current } = await beginRenewed(harness)
    const third = randomHash()
    assert.equal(await renew(store, session, current, third), true)
    assert.equal(await statusOf(store, session, old), 'unknown')
    assert.equal(await statusOf(store, session, current), 'live')
    assert.equal(await statusOf(store, session, third), 'live')
  })

  test('saves for a client that shows the token before', async (harness) => {
    const { store } = harness
    const { session, old, current } = await beginRenewed(harness)
    const record = await recordOf(store, session, old)
    await save(store, record, { written: [entry('late', '1')] })
    assert.deepEqual(await contentOf(store, session, current), { late: '1' })
  })

  test('renews once when 50 callers renew at once, and signs no client out', async ({ store }) => {
    const session = await begin(store)
    const hashes = Array.from({ length: 50 }, randomHash)
    const renewed = await inParallel(50, (n) =>
      renew(store, session, session.secretHash, hashes[n] as Uint8Array),
    )
    const winners = hashes.filter((_, n) => renewed[n])
    assert.equal(winners.length, 1)
    assert.equal(await statusOf(store, session), 'live')
    assert.deepEqual(await liveOf(store, session, hashes), winners)
  })

  test('answers a repeated renewal as it did the first time', async (harness) => {
    const { store } = harness
    const { session, old, current } = await beginRenewed(harness)
    const before = await recordOf(store, session, current)
    assert.equal(await renew(store, session, old, current), true)
    const after = await recordOf(store, session, current)
    assert.deepEqual(after.previousToken, before.previousToken)
    assert.equal(after.tokenIssuedAt, before.tokenIssuedAt)
    assert.equal(await statusOf(store, session, old), 'live')
  })
}

function endOfGraceTests(test: StoreTest): void {
  const shown = { lifetime, overlap }

  test('leaves the token before a short overlap once its successor was shown', async (harness) => {
    const { store, elapse } = harness
    const { session, old, current } = await beginRenewed(harness)
    await store.touch({ id: session.id, ...shown })
    const { previousToken, now } = await recordOf(store, session, current)
    assert.ok(previousToken !== null && previousToken.until <= now + overlap)
    await elapse(overlap - 5 * SECOND)
    assert.equal(await statusOf(store, session, old), 'live')
    await elapse(5 * SECOND)
    assert.equal(await statusOf(store, session, old), 'reused')
    assert.equal(await statusOf(store, session, current), 'live')
  })

  test('never prolongs a grace', async (harness) => {
    const { store, elapse } = harness
    const { session, old, current } = await beginRenewed(harness)
    const { previousToken: before } = await recordOf(store, session, current)
    await store.touch({ id: session.id, lifetime, overlap: 2 * grace.duration })
    assert.equal((await recordOf(store, session, current)).previousToken?.until, before?.until)
    await elapse(grace.duration - SECOND)
    await store.touch({ id: session.id, ...shown })
    await elapse(SECOND)
    assert.equal(await statusOf(store, session, old), 'reused')
    await store.touch({ id: session.id, ...shown })
    assert.equal(await statusOf(store, session, old), 'reused')
  })

  test('leaves a grace alone when it only notes an access', async (harness) => {
    const { store } = harness
    const { session, current } = await beginRenewed(harness)
    const { previousToken: before } = await recordOf(store, session, current)
    await store.touch({ id: session.id, lifetime })
    await save(store, session)
    assert.deepEqual((await recordOf(store, session, current)).previousToken, before)
  })

  test('ends no grace where there is none', async ({ store }) => {
    const session = await begin(store)
    await store.touch({ id: session.id, ...shown })
    assert.equal((await recordOf(store, session)).previousToken, null)
    assert.equal(await statusOf(store, session), 'live')
  })

  test('ends the graces of those alone, of many touched at once, that ask for it', async (harness) => {
    const { store } = harness
    const renewed = await inParallel(20, () => beginRenewed(harness))
    await inParallel(20, (n) => {
      const { id } = (renewed[n] as Renewed).session
      return store.touch({ id, lifetime, ...(n % 2 === 0 ? { overlap } : {}) })
    })
    for (const [n, { session, current }] of renewed.entries()) {
      const { previousToken, now } = await recordOf(store, session, current)
      const isShort = previousToken !== null && previousToken.until <= now + overlap
      assert.equal(isShort, n % 2 === 0)
    }
  })
}
