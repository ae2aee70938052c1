import assert from 'node:assert/strict'
import type { Row } from '../../postgres/driver.ts'
import { ask, askOne, type DriverTest, explanationOf, failureOf } from './harness.ts'

const PID = 'select pg_backend_pid()::text as pid'
const SLEEP = `select 'slept' as x from pg_sleep($1::float8)`

/** What a driver without connections does in their place. */
export function unlentTests(test: DriverTest): void {
  test('refuses to lend a connection, and never calls use', async ({ driver }) => {
    let calls = 0
    const use = async (): Promise<void> => {
      calls += 1
    }
    await assert.rejects(driver.withConnection(use), { code: 'ERR_UNSUPPORTED' })
    assert.equal(calls, 0)
    assert.equal(driver.lends, false)
  })

  test('gives the rows to check, and rejects with the error that it throws', async ({ driver }) => {
    const statement = { name: 'driver_contract_unlent', text: PID, values: [] }
    const seen: (readonly Row[])[] = []
    const check = (given: readonly Row[]): void => void seen.push(given)
    const rows = await driver.query(statement, { timeout: 20_000, check })
    assert.deepEqual(seen, [rows])
    const fault = new TypeError('not mine')
    const refused = driver.query(statement, {
      timeout: 20_000,
      check() {
        throw fault
      },
    })
    assert.equal(await failureOf(refused), fault)
    assert.ok(await askOne(driver, PID))
  })

  test('gives up waiting for an answer, says that the outcome is unknown, and works again', async (harness) => {
    const { driver, useClient } = harness
    const error = await failureOf(ask(driver, SLEEP, ['1'], 50))
    const { outcome, kind } = explanationOf(driver, error)
    assert.deepEqual({ outcome, kind }, { outcome: 'unknown', kind: 'late' })
    assert.ok(await askOne(driver, PID))
    await useClient()
  })
}
