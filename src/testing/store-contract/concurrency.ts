import assert from 'node:assert/strict'
import type { NewSession, SessionStore } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import {
  begin,
  bytes,
  changeOf,
  contentOf,
  entry,
  inParallel,
  lifetime,
  randomHash,
  recordOf,
  rotation,
  sample,
  save,
  statusOf,
  textsOf,
} from './samples.ts'

/** Many callers at once, who must neither lose nor double anything. */
export function concurrencyTests(test: StoreTest): void {
  entryTests(test)
  tokenTests(test)
}

function entryTests(test: StoreTest): void {
  test('keeps all of 50 keys that 50 callers save at once', async ({ store }) => {
    const session = await begin(store)
    await inParallel(50, (n) => save(store, session, { written: [entry(`key-${n}`, `${n}`)] }))
    const expected = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`key-${n}`, `${n}`]))
    assert.deepEqual(await contentOf(store, session), expected)
  })

  test('keeps a key removed while others write theirs', async ({ store }) => {
    const session = await begin(store, { entries: [entry('removed', 'x')] })
    await inParallel(20, (n) =>
      save(
        store,
        session,
        n === 10 ? { deleted: [bytes('removed')] } : { written: [entry(`key-${n}`, 'x')] },
      ),
    )
    const content = await contentOf(store, session)
    assert.equal(Object.keys(content).length, 19)
    assert.ok(!('removed' in content))
  })

  test('counts to 50 when 50 callers add one to a counter at once', async ({ store }) => {
    const session = await begin(store)
    await inParallel(50, () => increment(store, session))
    assert.deepEqual(await contentOf(store, session), { counter: '50' })
  })

  test('gives one value to one of 50 takers', async ({ store }) => {
    const session = await begin(store, { entries: [entry('flash', 'saved')] })
    const { id, userId } = session
    const results = await inParallel(50, () =>
      store.take({ id, userId, lifetime, key: bytes('flash') }),
    )
    assert.ok(results.every(({ status }) => status === 'taken'))
    const values = results.flatMap((r) => (r.status === 'taken' && r.value ? [r.value] : []))
    assert.deepEqual(
      values.map((value) => new TextDecoder().decode(value)),
      ['saved'],
    )
    assert.deepEqual(await contentOf(store, session), {})
  })

  test('shows the whole of a save or nothing of it', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '-'), entry('b', '-')] })
    const seen = inParallel(20, () => contentOf(store, session))
    await inParallel(20, (n) =>
      save(store, session, { written: [entry('a', `${n}`), entry('b', `${n}`)] }),
    )
    for (const { a, b } of [...(await seen), await contentOf(store, session)]) assert.equal(a, b)
  })

  test('makes a key that many make at once hold what one of them wrote', async ({ store }) => {
    const session = await begin(store)
    const results = await inParallel(20, (n) => {
      const { id, userId } = session
      const key = bytes('a')
      return store.update({ id, userId, lifetime, key, expected: null, value: bytes(`${n}`) })
    })
    const winners = results.flatMap(({ status }, n) => (status === 'updated' ? [`${n}`] : []))
    assert.equal(winners.length, 1)
    assert.deepEqual(await contentOf(store, session), { a: winners[0] })
  })
}

/** Adds one as `session.update` does: reads, tries, and tries again with what it is told. */
async function increment(store: SessionStore, session: NewSession): Promise<void> {
  const { id, userId } = session
  const key = bytes('counter')
  let { counter } = await contentOf(store, session)
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const expected = counter === undefined ? null : bytes(counter)
    const value = bytes(`${Number(counter ?? 0) + 1}`)
    const result = await store.update({ id, userId, lifetime, key, expected, value })
    if (result.status === 'updated') return
    assert.equal(result.status, 'changed')
    counter = result.current ? new TextDecoder().decode(result.current) : undefined
  }
  assert.fail('no update in a thousand attempts was told the current value')
}

function tokenTests(test: StoreTest): void {
  test('leaves exactly one valid token after 50 rotations at once', async ({ store }) => {
    const session = await begin(store, { entries: [entry('a', '1')] })
    const hashes = Array.from({ length: 50 }, randomHash)
    const results = await Promise.all(
      hashes.map((to) => save(store, session, { credentials: rotation(session.secretHash, to) })),
    )
    const winners = hashes.filter((_, n) => results[n]?.rotated)
    assert.equal(winners.length, 1)
    const valid: Uint8Array[] = []
    for (const hash of [session.secretHash, ...hashes]) {
      if ((await statusOf(store, session, hash)) === 'live') valid.push(hash)
    }
    assert.deepEqual(valid, winners)
    assert.deepEqual(await contentOf(store, session, valid[0]), { a: '1' })
  })

  test('signs in one of 20 users who sign in to one session at once', async ({ store }) => {
    const session = await begin(store)
    const signIns = Array.from({ length: 20 }, (_, n) => ({
      userId: `user-${n}`,
      to: randomHash(),
    }))
    const results = await Promise.all(
      signIns.map(({ userId, to }) => {
        const credentials = { ...rotation(session.secretHash, to), signIn: { userId } }
        const written = [entry('owner', userId)]
        return store.save(changeOf(session, { written, credentials }))
      }),
    )
    const winners = signIns.filter((_, n) => results[n]?.status === 'saved')
    assert.equal(winners.length, 1)
    const [winner] = winners
    assert.ok(winner)
    const record = await recordOf(store, session, winner.to)
    assert.equal(record.userId, winner.userId)
    assert.deepEqual(textsOf(record.entries), { owner: winner.userId })
    assert.equal(await statusOf(store, session), 'unknown')
  })

  test('lets no save from before a sign-in land after it', async ({ store }) => {
    for (let round = 0; round < 10; round += 1) {
      const session = await begin(store)
      const to = randomHash()
      const credentials = { ...rotation(session.secretHash, to), signIn: { userId: 'ann' } }
      const saveLate = (n: number) =>
        store.save(changeOf(session, { written: [entry(`key-${n}`, 'x')] }))
      const early = inParallel(3, saveLate)
      const signIn = save(store, session, { credentials })
      const late = inParallel(3, (n) => saveLate(n + 3))
      const results = [...(await early), ...(await late)]
      await signIn
      const saved = results.flatMap(({ status }, n) => (status === 'saved' ? [`key-${n}`] : []))
      const content = await contentOf(store, session, to)
      assert.deepEqual(Object.keys(content).sort(), saved.sort())
    }
  })

  test('creates one of 20 sessions that claim one id at once', async ({ store }) => {
    const { id } = sample()
    const claims = Array.from({ length: 20 }, (_, n) =>
      sample({ id, entries: [entry('owner', `${n}`)] }),
    )
    const results = await Promise.all(claims.map((claim) => store.create(claim)))
    const winners = claims.filter((_, n) => results[n]?.status === 'created')
    assert.equal(winners.length, 1)
    const [winner] = winners
    assert.ok(winner)
    assert.deepEqual(await contentOf(store, winner), { owner: `${claims.indexOf(winner)}` })
    assert.deepEqual(await store.count(), { live: 1, expired: 0 })
  })

  test("answers 'created' to each of 20 identical creations at once", async ({ store }) => {
    const session = sample({ entries: [entry('a', '1')] })
    const results = await inParallel(20, () => store.create(session))
    assert.ok(results.every(({ status }) => status === 'created'))
    assert.deepEqual(await contentOf(store, session), { a: '1' })
  })
}
