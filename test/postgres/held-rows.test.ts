import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Begun,
  begin,
  bytes,
  changeOf,
  contentOf,
  entry,
  guardOf,
  lifetime,
  randomHash,
  statusOf,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

/** What a write does that finds its session's row changed by a transaction that has not committed. */

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())

/** Changes a session's row, and commits once another statement waits for it. */
async function commitBefore(
  session: Begun,
  change: string,
  call: () => Promise<unknown>,
): Promise<unknown> {
  const client = new pg.Client(harness.database.url)
  await client.connect()
  await client.query('begin')
  await client.query(`${change} where id = $1`, [session.id])
  const result = call()
  const waiting = `select 1 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`
  await expect.poll(async () => (await harness.pool.query(waiting)).rowCount).toBe(1)
  await client.query('commit')
  await client.end()
  return result
}

const changes = [
  [
    'a sign-in',
    `update sessions.session set user_id = 'bob', authenticated_at = now(), sign_ins = sign_ins + 1`,
  ],
  ['an end', 'delete from sessions.session'],
] as const

describe.each(changes)('%s in flight', (name, change) => {
  const written = [entry('b', 'new')]
  const deleted = [bytes('a')]
  const writes = {
    'a save': (it: Begun) => harness.store.save(changeOf(it, { written, deleted })),
    'a save that notes no access': (it: Begun) =>
      harness.store.save(changeOf(it, { written, deleted, isTouchDue: false })),
    'a deletion that notes no access': (it: Begun) =>
      harness.store.save(changeOf(it, { deleted, isTouchDue: false })),
    'a take': (it: Begun) => harness.store.take({ ...changeOf(it), key: bytes('a') }),
    'an update': (it: Begun) =>
      harness.store.update({
        ...changeOf(it),
        key: bytes('a'),
        expected: bytes('old'),
        value: bytes('new'),
      }),
  }

  test.each(Object.entries(writes))(
    'is waited for by %s, which then does nothing',
    async (_, write) => {
      const session = await begin(harness.store, { entries: [entry('a', 'old')] })
      const result = await commitBefore(session, change, () => write(session))
      expect(result).toEqual({ status: 'gone' })
      if (name === 'a sign-in')
        expect(await contentOf(harness.store, session)).toEqual({ a: 'old' })
    },
  )
})

test('a new token in flight is waited for by the end of an impersonation, which an old token then does not end', async () => {
  const own = await begin(harness.store, { userId: 'admin' })
  const actor = { userId: 'admin', sessionId: own.id }
  const acting = await begin(harness.store, { userId: 'ann', actor })
  const change = `update sessions.session set secret_hash = sha256('new')`
  const call = { ...guardOf(acting), own: own.id, to: randomHash(), lifetime }
  const result = await commitBefore(acting, change, () => harness.store.endActing(call))
  expect(result).toEqual({ status: 'gone' })
  expect(await statusOf(harness.store, own)).toBe('live')
})
