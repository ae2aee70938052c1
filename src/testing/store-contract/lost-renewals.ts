import assert from 'node:assert/strict'
import type { CredentialChange, NewSession } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
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
  begin,
  changeOf,
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

/** Renewals whose answer got lost, and what a renewal never gives. */
export function lostRenewalTests(test: StoreTest): void {
  lostReplyTests(test)
  privilegeTests(test)
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
