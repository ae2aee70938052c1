import { createSessions, PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import {
  begin,
  DAY,
  inParallel,
  randomHash,
  sample,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { operationOf } from './recording-driver.ts'

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
  // As an audit trigger does that returns NEW: NEW is null, which stops the deletion without an error.
  await harness.pool.query(`
    create function audit() returns trigger language plpgsql as $$ begin return new; end $$;
    create trigger audit before delete on sessions.session for each row execute function audit()`)
})
afterAll(() => harness.dispose())

test('no session is called ended that a trigger has kept', async () => {
  const { store, pool } = harness
  const kept = { code: 'ERR_STORE', message: expect.stringContaining('trigger') }
  const sessions = await inParallel(4, () => begin(store, { userId: 'ann' }))
  const one = sessions[0]?.id ?? ''
  await expect(store.destroy({ id: one })).rejects.toMatchObject(kept)
  const endings = await Promise.allSettled(sessions.map(({ id }) => store.destroy({ id })))
  for (const ending of endings) {
    expect(ending).toMatchObject({ status: 'rejected', reason: kept })
  }
  await expect(store.destroyByUser('ann', [])).rejects.toMatchObject(kept)
  const client = await pool.connect()
  await client.query('begin')
  await expect(store.inTransaction(client).destroy({ id: one })).rejects.toMatchObject(kept)
  await client.query('rollback')
  client.release()
  expect(await store.listByUser('ann')).toHaveLength(4)
})

test('nor by a tag, of all, of a transaction, by a cap, a purge, or another session in its place', async () => {
  const { pool } = harness
  const kept = { code: 'ERR_STORE', message: expect.stringContaining('trigger') }
  const settings = { database: fromPg(pool), log: false } as const
  const sessions = createSessions(settings)
  const capped = createSessions({ ...settings, maxPerUser: { count: 1, beyond: 'end-oldest' } })
  onTestFinished(async () => {
    await sessions.close()
    await capped.close()
  })
  const bob = sessions.open(null)
  await bob.session.signIn('bob', { tags: ['staff'] })
  await expect(sessions.destroyByTag('staff')).rejects.toMatchObject(kept)
  await expect(sessions.destroyAll()).rejects.toMatchObject(kept)
  await expect(capped.open(null).session.signIn('bob')).rejects.toMatchObject(kept)
  const cookie = (await bob.commit()).setCookies[0]?.split(';')[0]
  await expect(sessions.open(cookie).session.signIn('eve')).rejects.toMatchObject(kept)
  const acting = sessions.open(cookie)
  await acting.session.signIn('ann', { actor: 'bob', atMost: '1h' })
  await expect(acting.session.endImpersonation()).rejects.toMatchObject(kept)
  const client = await pool.connect()
  for (const of of ['User', 'Tag'] as const) {
    await client.query('begin')
    const by = sessions.in(client)
    const ending = of === 'User' ? by.destroyByUser('bob') : by.destroyByTag('staff')
    await expect(ending).rejects.toMatchObject(kept)
    await client.query('rollback')
  }
  client.release()
  expect(await sessions.listByUser('bob')).toHaveLength(1)
  const past = `now() - interval '1 hour'`
  await pool.query(`update sessions.session set expires_at = ${past}, purge_at = ${past}`)
  await expect(sessions.purge()).rejects.toMatchObject(kept)
})

test('nor where the answer got lost, and the end was tried again', async () => {
  const driver = fromPg(harness.pool)
  let isLost = false
  const store = new PostgresStore({
    migrate: 'off',
    driver: {
      ...driver,
      async query(statement, options) {
        const rows = await driver.query(statement, options)
        if (isLost || operationOf(statement.name) !== 'destroy_by_user') return rows
        isLost = true
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
      },
    },
  })
  onTestFinished(() => store.close())
  await begin(store, { userId: 'gil' })
  await expect(store.destroyByUser('gil', [])).rejects.toThrow('trigger')
  expect(isLost).toBe(true)
})

test('nor on distributed tables, where a page of ends and a purge count what has gone', async () => {
  const { pool } = harness
  const store = new PostgresStore({ driver: fromPg(pool), migrate: 'off', distributed: true })
  onTestFinished(() => store.close())
  const kept = { code: 'ERR_STORE', message: expect.stringContaining('trigger') }
  const admin = await begin(store, { userId: 'eve', tags: ['door'] })
  const actor = { userId: 'eve', sessionId: admin.id }
  const acting = await begin(store, { userId: 'fay', actor })
  const guard = { ...acting, secretHashes: [acting.secretHash] }
  await expect(store.destroy({ id: admin.id })).rejects.toMatchObject(kept)
  await expect(store.destroyByUser('eve', [])).rejects.toMatchObject(kept)
  await expect(store.destroyByTag('door', [])).rejects.toMatchObject(kept)
  await expect(store.replace(guard, sample())).rejects.toMatchObject(kept)
  await expect(
    store.endActing({ ...guard, own: admin.id, to: randomHash() }),
  ).rejects.toMatchObject(kept)
  const client = await pool.connect()
  await client.query('begin')
  const ending = store.inTransaction(client).destroy({ id: admin.id })
  await expect(ending).rejects.toMatchObject(kept)
  await client.query('rollback')
  client.release()
  const page = await store.destroyPage({ after: null, before: null, limit: 100 })
  expect(page.ended).toEqual([])
  expect(await store.listByUser('eve')).toHaveLength(1)
  await harness.elapse(2 * DAY)
  expect(await store.purge(100)).toBe(0)
})
