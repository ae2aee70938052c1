import assert from 'node:assert/strict'
import type { Driver, ErrorExplanation } from '../../postgres/driver.ts'
import { ask, askOne, type DriverHarness, type DriverTest } from './harness.ts'
import { startRefusingServer } from './refusing-server.ts'

const PID = 'select pg_backend_pid()::text as pid'

const refusals = [
  { code: 'XX000', message: 'Max client connections reached' },
  { code: '08P01', message: 'no more connections allowed' },
  { code: '53300', message: 'sorry, too many clients already' },
]

/** The store asks the driver what an error means: whether anything was sent, and why it failed. */
export function explanationTests(test: DriverTest): void {
  test('says of a server error after startup no more than its SQLSTATE', async ({ driver }) => {
    const error = await failureOf(driver, 'select (1 / $1::int)::text as x', ['0'])
    assert.equal(driver.explain?.(error), undefined)
  })

  for (const refusal of refusals) {
    test(`explains a startup refused with ${refusal.code}: nothing was sent, and the server's reason`, (harness) =>
      withRefusal(harness, refusal, (explanation) => {
        assert.equal(explanation.outcome, 'none')
        assert.ok(explanation.reason.includes(refusal.message), explanation.reason)
      }))
  }

  test('explains a socket that closes during startup: nothing was sent', (harness) =>
    withRefusal(harness, null, ({ outcome, reason }) => {
      assert.equal(outcome, 'none')
      assert.notEqual(reason, '')
    }))

  test('explains a statement whose connection was ended as unknown, or gives its SQLSTATE', async (harness) => {
    const { driver, killBackends } = harness
    if (killBackends === undefined) return
    const sleeping = failureOf(driver, `select 'slept' as x from pg_sleep(60)`)
    const busy = `select count(*)::text as count from pg_stat_activity
      where datname = current_database() and wait_event = 'PgSleep'`
    while ((await askOne(driver, busy)) === '0');
    await killBackends.call(harness)
    const error = await sleeping
    const explanation = driver.explain?.(error)
    if (explanation === undefined) {
      assert.match(String((error as { code?: unknown }).code), /^57P0[12]$/)
    } else assert.equal(explanation.outcome, 'unknown')
  })
}

async function withRefusal(
  { driverAt }: DriverHarness,
  refusal: { readonly code: string; readonly message: string } | null,
  look: (explanation: ErrorExplanation) => void,
): Promise<void> {
  if (driverAt === undefined) return
  await using server = await startRefusingServer(refusal)
  const { driver, dispose } = await driverAt('127.0.0.1', server.port)
  try {
    const attempts = [
      failureOf(driver, PID),
      driver.withConnection((connection) => ask(connection, PID)).catch((error: unknown) => error),
    ]
    for (const error of await Promise.all(attempts)) {
      const explanation = driver.explain?.(error)
      assert.ok(explanation, 'a driver needs explain(error) for failures while connecting')
      look(explanation)
    }
  } finally {
    await dispose()
  }
}

async function failureOf(
  driver: Driver,
  text: string,
  values: readonly (string | null)[] = [],
): Promise<unknown> {
  return await ask(driver, text, values).then(
    () => assert.fail('the statement succeeded'),
    (error: unknown) => error,
  )
}
