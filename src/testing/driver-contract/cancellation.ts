import assert from 'node:assert/strict'
import type { Driver } from '../../postgres/driver.ts'
import { isCancelRequest } from '../fault-proxy/postgres-messages.ts'
import {
  ask,
  askOne,
  type DriverHarness,
  type DriverTest,
  failureOf,
  freshTable,
  throughProxy,
} from './harness.ts'

/** Long enough that a statement is sent on an open connection, even on a busy machine. */
const SHORT = 500

/** A driver may have the server stop a statement that was given up. It stops no other one. */
export function cancellationTests(test: DriverTest): void {
  test('hurts no statement beside one that is given up', (harness) =>
    throughProxy(harness, ({ driver }) =>
      whileLocked(harness, async (table, unlock) => {
        const victim = failureOf(
          ask(driver, `select count(*)::text as victim from ${table}`, [], SHORT),
        )
        const neighbours = waiting(driver, table, harness.connections)
        // A neighbour that is hurt rejects before the lock is gone.
        const hurt = neighbours.then(
          () => undefined,
          (error: unknown) => error,
        )
        await victim
        await unlock()
        assert.ifError(await hurt)
      }),
    ))

  test('stops no later statement on the connection by a request that arrives late', (harness) =>
    throughProxy(harness, async ({ proxy, driver }) => {
      await ask(driver, 'select 1::text as warm')
      void proxy.hold(isCancelRequest)
      await failureOf(ask(driver, `select 'slept' as x from pg_sleep(1)`, [], SHORT))
      await whileLocked(harness, async (table, unlock) => {
        const later = waiting(driver, table, harness.connections).then(
          () => undefined,
          (error: unknown) => error,
        )
        await untilWaiting(harness, table)
        await proxy.pass()
        // What the server does about a request that it was passed shows in the turns that follow.
        for (let turn = 0; turn < 20; turn += 1) await ask(harness.driver, 'select 1::text as one')
        await unlock()
        assert.ifError(await later)
      })
    }))
}

/** Each of these waits for the lock, and is given its own value once it has it. */
async function waiting(driver: Driver, table: string, count: number): Promise<void> {
  const text = `select $1::text as echo from (select count(*) from ${table}) as locked`
  const sent = Array.from({ length: count }, (_, index) => `neighbour ${index}`)
  assert.deepEqual(await Promise.all(sent.map((value) => askOne(driver, text, [value]))), sent)
}

async function untilWaiting({ driver }: DriverHarness, table: string): Promise<void> {
  const text = `select count(*)::text as waiting from pg_stat_activity
    where wait_event_type = 'Lock' and query like '%' || $1::text || '%'`
  while ((await askOne(driver, text, [table])) === '0');
}

/** Locks a table by a driver of its own, since a harness may have one connection only. */
async function whileLocked(
  { driver, driverAt, server }: DriverHarness,
  use: (table: string, unlock: () => Promise<void>) => Promise<void>,
): Promise<void> {
  assert.ok(server && driverAt, 'the harness needs `server` and `driverAt`')
  const table = freshTable()
  await driver.withConnection((connection) => connection.run(`create table ${table} (x text)`))
  const locker = await driverAt(server.host, server.port)
  try {
    await locker.driver.withConnection(async (connection) => {
      await connection.run(`begin; lock table ${table} in access exclusive mode`)
      let isLocked = true
      const unlock = async (): Promise<void> => {
        if (isLocked) await connection.run('commit')
        isLocked = false
      }
      try {
        await use(table, unlock)
      } finally {
        await unlock()
      }
    })
  } finally {
    await locker.dispose()
  }
  await driver.withConnection((connection) => connection.run(`drop table ${table}`))
}
