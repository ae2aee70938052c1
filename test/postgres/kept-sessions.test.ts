import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, inParallel } from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

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
