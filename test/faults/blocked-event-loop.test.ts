import { PostgresStore } from 'pg-sessions'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, changeOf, entry, inParallel } from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { type SweptDriver, sweptDrivers } from './swept-drivers.ts'

/*
 * The process is busy until after the deadline, and the answer has come meanwhile. It counts: it would be thrown away
 * by a timer that fires before the socket is read.
 */

let harness: PostgresStoreHarness
const open: SweptDriver[] = []

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(async () => {
  await Promise.all(open.map(({ close }) => close()))
  await harness.dispose()
})

test('an answer that came while the process was busy is not thrown away, on any driver', async () => {
  const drivers = Object.values(sweptDrivers)
  for (const openDriver of drivers) open.push(await openDriver(harness.database.url))
  const stores = open.map(
    ({ driver }) => new PostgresStore({ driver, migrate: 'off', deadline: '1200ms' }),
  )
  const sessions = await inParallel(drivers.length, () => begin(harness.store))
  // Each driver connects and prepares the statement.
  const save = (n: number) => {
    const [store, session] = [stores[n] as PostgresStore, sessions[n] as (typeof sessions)[number]]
    return store.save(changeOf(session, { written: [entry('a', String(n))] }))
  }
  await Promise.all(stores.map((_, n) => save(n)))

  // The server answers while this process does not listen.
  const holder = await harness.pool.connect()
  const held = holder.query(
    `begin; select from sessions.session for update; select pg_sleep(0.8); commit`,
  )
  const waiting = async (event: string) =>
    (
      await harness.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = $1`,
        [event],
      )
    ).rowCount
  await expect.poll(() => waiting('Timeout'), { interval: 5 }).toBe(1)
  const saves = stores.map((_, n) => save(n))
  await expect.poll(() => waiting('Lock'), { interval: 5 }).toBe(drivers.length)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)

  const results = await Promise.allSettled(saves)
  await held
  holder.release()
  expect(results).toEqual(
    results.map(() => ({
      status: 'fulfilled',
      value: expect.objectContaining({ status: 'saved' }),
    })),
  )
})
