import assert from 'node:assert/strict'
import { ask, askOne, type DriverTest, freshTable, whileAllAreLent } from './harness.ts'

const PID = 'select pg_backend_pid()::text as pid'
const SLEEP = `select 'slept' as x from pg_sleep($1::float8)`

/** Short enough that the server still sleeps when it is over: an answer is then never waited for. */
const SHORT = 50

/** No call waits longer than asked for a connection. */
export function waitTests(test: DriverTest): void {
  test('gives up waiting for a connection when all are lent, and works again later', async (harness) => {
    await whileAllAreLent(harness, async () => {
      await assert.rejects(ask(harness.driver, PID, [], SHORT))
      await assert.rejects(ask(harness.driver, PID, [], SHORT))
    })
    assert.ok(await askOne(harness.driver, PID))
  })

  test('gives up waiting to lend a connection when all are lent, and never calls use', async (harness) => {
    let calls = 0
    const use = async (): Promise<void> => {
      calls += 1
    }
    await whileAllAreLent(harness, async () => {
      await assert.rejects(harness.driver.withConnection(use, { timeout: SHORT }))
    })
    await whileAllAreLent(harness, async () => {})
    assert.equal(calls, 0)
  })

  test('never sends a statement that was given up while it waited', async (harness) => {
    const { driver } = harness
    const table = freshTable()
    await driver.withConnection((connection) => connection.run(`create table ${table} (x text)`))
    await whileAllAreLent(harness, async () => {
      await assert.rejects(ask(driver, `insert into ${table} values ('late')`, [], SHORT))
    })
    await whileAllAreLent(harness, async () => {})
    assert.equal(await askOne(driver, `select count(*)::text as count from ${table}`), '0')
    await driver.withConnection((connection) => connection.run(`drop table ${table}`))
  })
}

/** No call waits longer than asked for an answer. */
export function answerTests(test: DriverTest): void {
  test('gives up waiting for an answer, and works again later', async ({ driver, useClient }) => {
    await assert.rejects(ask(driver, SLEEP, ['1'], SHORT))
    assert.ok(await askOne(driver, PID))
    await useClient()
  })

  test('loses no connection to statements that were given up', async (harness) => {
    const { driver, connections } = harness
    const late = Array.from({ length: connections * 2 }, () => ask(driver, SLEEP, ['1'], SHORT))
    for (const answer of await Promise.allSettled(late)) assert.equal(answer.status, 'rejected')
    await whileAllAreLent(harness, async () => {})
    assert.ok(await askOne(driver, PID))
  })

  test('gives up waiting for an answer on a lent connection', async (harness) => {
    const { driver } = harness
    const loan = driver.withConnection(async (connection) => {
      await connection.run('begin')
      await ask(connection, SLEEP, ['1'], SHORT)
    })
    await assert.rejects(loan)
    await whileAllAreLent(harness, async () => {})
    assert.ok(await askOne(driver, PID))
  })

  test('lends no connection that is still busy with a statement given up', async ({ driver }) => {
    await driver.withConnection(async (connection) => {
      await assert.rejects(ask(connection, SLEEP, ['1'], SHORT))
    })
    assert.ok(await askOne(driver, PID))
  })
}
