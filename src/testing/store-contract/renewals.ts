import assert from 'node:assert/strict'
import type {
  CredentialChange,
  Grace,
  NewSession,
  SessionStore,
} from '../../store/session-store.ts'
import type { StoreHarness, StoreTest } from './harness.ts'
import {
  assertClose,
  begin,
  bytes,
  changeOf,
  contentOf,
  entry,
  guardOf,
  inParallel,
  lifetime,
  randomHash,
  recordOf,
  rotation,
  sample,
  save,
  statusOf,
} from './samples.ts'

const SECOND = 1000

const grace: Grace = { duration: 60 * SECOND, successor: bytes('sealed') }

/** How long a token works on once its successor was shown. */
const overlap = 10 * SECOND

/** The renewal of a token, with a new random one unless `to` is given. */
function renewal(
  from: Uint8Array,
  to: Uint8Array = randomHash(),
): Required<Pick<CredentialChange, 'token'>> {
  return { token: { from: [from], to, grace } }
}

/** Renews a token and tells whether that was done. */
async function renew(
  store: SessionStore,
  session: NewSession,
  from: Uint8Array,
  to: Uint8Array,
): Promise<boolean> {
  return (await save(store, session, { credentials: renewal(from, to) })).rotated
}

interface Renewed {
  readonly session: NewSession
  /** The token before the renewal, and the one after it. */
  readonly old: Uint8Array
  readonly current: Uint8Array
}

async function beginRenewed(
  { store }: StoreHarness,
  details: Partial<NewSession> = {},
): Promise<Renewed> {
  const session = await begin(store, details)
  const current = randomHash()
  assert.equal(await renew(store, session, session.secretHash, current), true)
  return { session, old: session.secretHash, current }
}

/** Renewals: the one change of token after which the old one works on for a while. */
export function renewalTests(test: StoreTest): void {
  graceTests(test)
  endOfGraceTests(test)
  lostReplyTests(test)
  privilegeTests(test)
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

function lostReplyTests(test: StoreTest): void {
  test('gives back the sealed successor to a client that presents the token before, and to no later one', async (harness) => {
    const { store } = harness
    const { session, old, current } = await beginRenewed(harness)
    const { previousToken } = await recordOf(store, session, old)
    assert.deepEqual(Buffer.from(previousToken?.successor ?? ''), Buffer.from(grace.successor))
    await store.touch({ id: session.id, lifetime, overlap })
    assert.equal((await recordOf(store, session, old)).previousToken?.successor, null)
    assert.equal((await recordOf(store, session, current)).previousToken?.successor, null)
  })

  test('keeps the sealed successor through accesses that do not show the new token', async (harness) => {
    const { store } = harness
    const { session, old } = await beginRenewed(harness)
    await store.touch({ id: session.id, lifetime })
    await save(store, session, { written: [entry('a', '1')] })
    const { previousToken } = await recordOf(store, session, old)
    assert.deepEqual(Buffer.from(previousToken?.successor ?? ''), Buffer.from(grace.successor))
  })

  test('never renews the token before, whose grace would begin again', async (harness) => {
    const { store, elapse } = harness
    const { session, old, current } = await beginRenewed(harness)
    for (const later of [0, 20, 35]) {
      await elapse(later * SECOND)
      assert.equal(await renew(store, session, old, randomHash()), false)
      assert.deepEqual(await liveOf(store, session, [old, current]), [old, current])
    }
    await elapse(5 * SECOND)
    assert.equal(await renew(store, session, old, randomHash()), false)
    assert.deepEqual(await liveOf(store, session, [old, current]), [current])
  })

  test('tells a renewed token that is used after its grace from one that never was', async (harness) => {
    const { store, elapse } = harness
    const { session, old, current } = await beginRenewed(harness, { userId: 'ann' })
    await elapse(grace.duration)
    const { id } = session
    const reused = { status: 'reused', id, userId: 'ann' }
    assert.deepEqual(await store.load({ id, secretHashes: [old] }), reused)
    assert.equal(await statusOf(store, session, randomHash()), 'unknown')
    assert.equal(await statusOf(store, session, current), 'live')
    const written = [entry('a', '1')]
    const change = { ...guardOf(session), lifetime, written, deleted: [] }
    assert.deepEqual(await store.replace({ ...change, secretHashes: [old] }, sample()), {
      status: 'superseded',
    })
  })

  test('says nothing of an expired session to a token whose grace was over', async (harness) => {
    const { store, elapse } = harness
    const { session, old, current } = await beginRenewed(harness, { userId: 'ann' })
    await elapse(2 * lifetime.purge)
    assert.equal(await statusOf(store, session, current), 'expired')
    assert.equal(await statusOf(store, session, old), 'unknown')
  })

  test('tells a reused token from others also among many loads at once', async (harness) => {
    const { store, elapse } = harness
    const renewed = await inParallel(20, () => beginRenewed(harness))
    await elapse(grace.duration)
    const statuses = await inParallel(40, (n) => {
      const { session, old, current } = renewed[n % 20] as Renewed
      return statusOf(store, session, n < 20 ? old : current)
    })
    assert.deepEqual(statuses, [...Array(20).fill('reused'), ...Array(20).fill('live')])
  })

  test('does not call a token reused that a rotation or a sign-in has ended', async ({ store }) => {
    for (const details of [{}, { signIn: { userId: 'ann' } }]) {
      const session = await begin(store)
      const credentials = { ...rotation(session.secretHash), ...details }
      await save(store, session, { credentials })
      assert.equal(await statusOf(store, session), 'unknown')
    }
  })
}

function privilegeTests(test: StoreTest): void {
  const changes: readonly { name: string; details: CredentialChange }[] = [
    { name: 'a rotation', details: {} },
    { name: 'a sign-in', details: { signIn: { userId: 'ann' } } },
    { name: 'a new lifetime', details: { ownIdleTimeout: 60 * SECOND } },
  ]
  for (const { name, details } of changes) {
    for (const shows of ['old', 'current'] as const) {
      const holder = shows === 'old' ? 'the token before' : 'the token in force'
      test(`kills every other token on ${name} by who shows ${holder}`, async (harness) => {
        const { store } = harness
        const { session, ...tokens } = await beginRenewed(harness)
        const to = randomHash()
        const credentials = { ...rotation(tokens[shows], to), ...details }
        assert.equal((await save(store, session, { credentials })).rotated, true)
        const all = [tokens.old, tokens.current, to]
        assert.deepEqual(await liveOf(store, session, all), [to])
        assert.equal((await recordOf(store, session, to)).previousToken, null)
      })
    }

    test(`refuses ${name} by a token whose grace is over`, async (harness) => {
      const { store, elapse } = harness
      const { session, old, current } = await beginRenewed(harness)
      await elapse(grace.duration)
      const to = randomHash()
      await store.save(changeOf(session, { credentials: { ...rotation(old, to), ...details } }))
      const { userId } = await recordOf(store, session, current)
      assert.equal(userId, null)
      assert.deepEqual(await liveOf(store, session, [old, current, to]), [current])
    })
  }

  test('does not renew a token that was rotated', async ({ store, elapse }) => {
    const session = await begin(store)
    const current = randomHash()
    await save(store, session, { credentials: rotation(session.secretHash, current) })
    await elapse(SECOND)
    const to = randomHash()
    assert.equal(await renew(store, session, session.secretHash, to), false)
    assert.deepEqual(await liveOf(store, session, [session.secretHash, current, to]), [current])
  })

  test('ends every token with the session', async (harness) => {
    const { store } = harness
    const endings = [
      (session: NewSession) => store.destroy({ id: session.id }),
      (session: NewSession) => store.replace(guardOf(session), sample()),
      () => store.destroyByUser('ann', []),
    ]
    for (const end of endings) {
      const { session, old, current } = await beginRenewed(harness, { userId: 'ann' })
      await end(session)
      assert.deepEqual(await liveOf(store, session, [old, current]), [])
      const change = changeOf(session, { credentials: renewal(current) })
      assert.deepEqual(await store.save(change), { status: 'gone' })
    }
  })
}

async function liveOf(
  store: SessionStore,
  session: NewSession,
  hashes: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const live: Uint8Array[] = []
  for (const hash of hashes) if ((await statusOf(store, session, hash)) === 'live') live.push(hash)
  return live
}
