import assert from 'node:assert/strict'
import { ask, askOne, type DriverTest, failureOf } from './harness.ts'

/** The store asks the driver what an error means: whether anything was sent, and why it failed. */
export function explanationTests(test: DriverTest): void {
  test('says of a server error after startup no more than its SQLSTATE', async ({ driver }) => {
    const error = await failureOf(ask(driver, 'select (1 / $1::int)::text as x', ['0']))
    assert.equal(driver.explain?.(error), undefined)
  })

  test('explains a statement whose connection was ended as unknown, or gives its SQLSTATE', async (harness) => {
    const { killBackends, server, driverAt } = harness
    if (killBackends === undefined || server === undefined || driverAt === undefined) return
    const { driver, dispose } = await driverAt(server.host, server.port)
    const sleeping = failureOf(ask(driver, `select 'slept' as x from pg_sleep(60)`))
    const busy = `select count(*)::text as count from pg_stat_activity
      where datname = current_database() and wait_event = 'PgSleep'`
    while ((await askOne(harness.driver, busy)) === '0');
    await killBackends.call(harness)
    const error = await sleeping
    const explanation = driver.explain?.(error)
    if (explanation === undefined) {
      assert.match(String((error as { code?: unknown }).code), /^57P0[12]$/)
    } else assert.equal(explanation.outcome, 'unknown')
    await dispose()
  })
}
