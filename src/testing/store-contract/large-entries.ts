import assert from 'node:assert/strict'
import type { EntryRequest, NewSession, SessionStore } from '../../store/session-store.ts'
import type { StoreTest } from './harness.ts'
import {
  begin,
  bytes,
  entry,
  HOUR,
  inParallel,
  randomHash,
  rotation,
  save,
  textsOf,
} from './samples.ts'

const LARGE = 'x'.repeat(5000)
const entries = [entry('small', '1'), entry('large', LARGE), entry('larger', `${LARGE}y`)]

/** What `load` may leave out, and `fetch` then reads. A store without `fetch` leaves nothing out. */
export function largeEntryTests(test: StoreTest): void {
  leavingOutTests(test)
  guardTests(test)
}

function leavingOutTests(test: StoreTest): void {
  test('reads every value unless told otherwise', async ({ store }) => {
    const session = await begin(store, { entries })
    const { omitted, ...content } = await loadWith(store, session, undefined)
    assert.equal(omitted, undefined)
    assert.deepEqual(textsOf(content.entries), { small: '1', large: LARGE, larger: `${LARGE}y` })
  })

  test('leaves out a value over the threshold, and none at it, and tells its size', async ({
    store,
  }) => {
    const session = await begin(store, { entries })
    const record = await loadWith(store, session, LARGE.length)
    if (store.fetch === undefined) return assert.equal(record.entries.length, 3)
    assert.deepEqual(Object.keys(textsOf(record.entries)).sort(), ['large', 'small'])
    const [omitted, ...others] = record.omitted ?? []
    assert.deepEqual(others, [])
    assert.equal(new TextDecoder().decode(omitted?.key), 'larger')
    assert.equal(omitted?.size, LARGE.length + 1)
  })

  test('leaves out what each of many loads at once is to leave out', async ({ store }) => {
    const session = await begin(store, { entries })
    const records = await inParallel(6, (n) => loadWith(store, session, n % 2 ? 0 : undefined))
    for (const [n, record] of records.entries()) {
      const isWhole = n % 2 === 0 || store.fetch === undefined
      assert.equal(record.entries.length, isWhole ? 3 : 0)
    }
  })

  test('gives those of the keys asked for that are there', async ({ store }) => {
    const session = await begin(store, { entries })
    const keys = [bytes('large'), bytes('absent')]
    const result = await store.fetch?.(requestOf(session, { keys }))
    if (result === undefined) return
    assert.equal(result.status, 'found')
    assert.deepEqual(textsOf(result.entries), { large: LARGE })
  })
}

function guardTests(test: StoreTest): void {
  test('gives no entry for a wrong token', async ({ store }) => {
    const session = await begin(store, { entries })
    await assertGone(store, requestOf(session, { secretHashes: [randomHash()] }))
    await assertGone(store, requestOf(session, { secretHashes: [] }))
  })

  test('gives no entry to a caller who takes another for the owner', async ({ store }) => {
    const session = await begin(store, { entries, userId: 'ann' })
    await assertGone(store, requestOf(session, { userId: null }))
    await assertGone(store, requestOf(session, { userId: 'bob' }))
  })

  test('gives no entry for a token that was replaced', async ({ store }) => {
    const session = await begin(store, { entries })
    const credentials = rotation(session.secretHash)
    await save(store, session, { credentials })
    await assertGone(store, requestOf(session))
    const secretHashes = [credentials.token.to]
    const result = await store.fetch?.(requestOf(session, { secretHashes }))
    assert.notEqual(result?.status, 'gone')
  })

  test('gives no entry of a session that has expired or ended', async ({ store, elapse }) => {
    const [expired, ended] = await inParallel(2, () => begin(store, { entries }))
    await elapse(2 * HOUR)
    await assertGone(store, requestOf(expired as NewSession))
    await store.destroy({ id: (ended as NewSession).id })
    await assertGone(store, requestOf(ended as NewSession))
  })
}

async function loadWith(
  store: SessionStore,
  session: NewSession,
  largeEntries: number | undefined,
) {
  const token = { id: session.id, secretHashes: [session.secretHash] }
  const result = await store.load(token, { largeEntries })
  assert.equal(result.status, 'live')
  return result.record
}

function requestOf(session: NewSession, details: Partial<EntryRequest> = {}): EntryRequest {
  const { id, userId, secretHash } = session
  return { id, userId, secretHashes: [secretHash], keys: [bytes('large')], ...details }
}

async function assertGone(store: SessionStore, request: EntryRequest): Promise<void> {
  const result = await store.fetch?.(request)
  if (store.fetch !== undefined) assert.deepEqual(result, { status: 'gone' })
}
