import assert from 'node:assert/strict'
import type { CredentialChange, NewSession, SessionStore } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import {
  type Begun,
  begin,
  changeOf,
  contentOf,
  entry,
  guardOf,
  HOUR,
  inParallel,
  MINUTE,
  randomHash,
  recordOf,
  rotation,
  sample,
  save,
  statusOf,
} from './samples.ts'

/** How another request has replaced the token that a request holds. */
const replacements: readonly { name: string; details: CredentialChange }[] = [
  { name: 'a rotation', details: {} },
  { name: 'a sign-in', details: { signIn: { userId: 'ann' } } },
]

/** What a request may still do whose token another request has replaced meanwhile. */
export function deadTokenTests(test: StoreTest): void {
  for (const { name, details } of replacements) endingTests(test, name, details)
  lifetimeTests(test)
  raceTests(test)
}

interface Replaced {
  readonly session: Begun
  readonly current: Uint8Array
}

async function beginReplaced(store: SessionStore, details: CredentialChange): Promise<Replaced> {
  const session = await begin(store, { userId: 'ann', entries: [entry('a', '1')] })
  const current = randomHash()
  const credentials = { ...rotation(session.secretHash, current), ...details }
  assert.equal((await save(store, session, { credentials })).rotated, true)
  return { session, current }
}

function endingTests(test: StoreTest, name: string, details: CredentialChange): void {
  test(`refuses to replace a session for the token from before ${name}`, async ({ store }) => {
    const { session, current } = await beginReplaced(store, details)
    const successor = sample()
    assert.deepEqual(await store.replace(guardOf(session), successor), { status: 'superseded' })
    assert.equal(await statusOf(store, successor), 'unknown')
    assert.deepEqual(await contentOf(store, session, current), { a: '1' })
    const held = { ...guardOf(session), secretHashes: [randomHash(), current] }
    assert.equal((await store.replace(held, successor)).status, 'created')
  })

  test(`refuses to end a session for the token from before ${name}`, async ({ store }) => {
    const { session, current } = await beginReplaced(store, details)
    const { id, secretHash } = session
    const refused = await store.destroy({ id, secretHashes: [secretHash] })
    assert.deepEqual(refused, { status: 'superseded' })
    assert.deepEqual(await store.destroy({ id, secretHashes: [] }), { status: 'superseded' })
    assert.deepEqual(await contentOf(store, session, current), { a: '1' })
    const ended = { status: 'ended', userId: 'ann' }
    assert.deepEqual(await store.destroy({ id, secretHashes: [current] }), ended)
    assert.deepEqual(await store.destroy({ id, secretHashes: [current] }), { status: 'gone' })
    assert.equal(await statusOf(store, session, current), 'unknown')
  })
}

function lifetimeTests(test: StoreTest): void {
  test('refuses a new lifetime as a whole when another request replaced the token', async ({
    store,
  }) => {
    const { session, current } = await beginReplaced(store, {})
    const before = await recordOf(store, session, current)
    for (const lifetime of [
      { ownIdleTimeout: MINUTE },
      { ownIdleTimeout: null },
      { absoluteExpiresAt: before.absoluteExpiresAt + HOUR },
    ]) {
      const credentials = { ...rotation(session.secretHash), ...lifetime }
      const change = changeOf(session, { written: [entry('b', '1')], credentials })
      assert.deepEqual(await store.save(change), { status: 'gone' })
    }
    const { now: _, ...after } = await recordOf(store, session, current)
    assert.deepEqual({ ...before, ...after }, before)
  })

  test('saves what was in flight over a rotation', async ({ store }) => {
    const session = await begin(store, { userId: 'ann' })
    const { version } = await recordOf(store, session)
    const current = randomHash()
    await save(store, session, { credentials: rotation(session.secretHash, current) })
    await save(store, { ...session, version }, { written: [entry('late', '1')] })
    assert.deepEqual(await contentOf(store, session, current), { late: '1' })
  })

  test('tells the user of a session that it ends, with or without an owner', async ({ store }) => {
    const ann = await begin(store, { userId: 'ann' })
    const visitor = await begin(store)
    assert.deepEqual(await store.destroy({ id: ann.id }), { status: 'ended', userId: 'ann' })
    assert.deepEqual(await store.destroy({ id: visitor.id }), { status: 'ended', userId: null })
  })
}

function raceTests(test: StoreTest): void {
  test('has one winner when a token is rotated and its session replaced at once', async ({
    store,
  }) => {
    for (let round = 0; round < 20; round += 1) {
      const session = await begin(store)
      const [to, successor] = [randomHash(), sample()]
      const rotate = (): Promise<boolean> => rotated(store, session, to)
      const replace = async (): Promise<boolean> =>
        (await store.replace(guardOf(session), successor)).status === 'created'
      const calls = round % 2 === 0 ? [rotate, replace] : [replace, rotate]
      const won = await inParallel(2, (n) => (calls[n] as typeof rotate)())
      assert.equal(won.filter(Boolean).length, 1)
      const live = [await statusOf(store, session, to), await statusOf(store, successor)]
      assert.equal(live.filter((status) => status === 'live').length, 1)
    }
  })

  test('has one winner when a token is rotated and its session ended at once', async ({
    store,
  }) => {
    for (let round = 0; round < 20; round += 1) {
      const session = await begin(store)
      const to = randomHash()
      const { id, secretHash } = session
      const rotate = (): Promise<boolean> => rotated(store, session, to)
      const destroy = async (): Promise<boolean> =>
        (await store.destroy({ id, secretHashes: [secretHash] })).status === 'ended'
      const calls = round % 2 === 0 ? [rotate, destroy] : [destroy, rotate]
      const won = await inParallel(2, (n) => (calls[n] as typeof rotate)())
      assert.equal(won.filter(Boolean).length, 1)
    }
  })
}

async function rotated(store: SessionStore, session: NewSession, to: Uint8Array): Promise<boolean> {
  const credentials = rotation(session.secretHash, to)
  const result = await store.save(changeOf(session, { credentials }))
  return result.status === 'saved' && result.rotated
}
