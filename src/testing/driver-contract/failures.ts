import assert from 'node:assert/strict'
import { ask, askOne, type DriverHarness, type DriverTest, freshTable, onEach } from './harness.ts'

const DIVIDE = 'select (100 / $1::int)::text as quotient'

/** A failing statement says why, and affects no other. */
export function failureTests(test: DriverTest, lends: boolean): void {
  const failures = {
    '22012': ['select (1 / $1::int)::text as x', ['0']],
    '22P02': ['select $1::int::text as x', ['many']],
    '42601': ['selec 1', []],
    '42P01': ['select 1::text as x from driver_contract_no_such_table', []],
  } as const
  for (const [code, [text, values]] of Object.entries(failures)) {
    test(`rejects with the SQLSTATE ${code} in code`, async ({ driver }) => {
      await assert.rejects(ask(driver, text, values), { code })
    })
  }

  test('runs a statement that failed again, under the same name', async ({ driver }) => {
    await assert.rejects(ask(driver, DIVIDE, ['0']), { code: '22012' })
    assert.equal(await askOne(driver, DIVIDE, ['5']), '20')
  })

  test('lets one of many statements fail alone', async ({ driver }) => {
    const divisors = Array.from({ length: 40 }, (_, index) => String(index % 2))
    const answers = await Promise.allSettled(
      divisors.map((divisor) => askOne(driver, DIVIDE, [divisor])),
    )
    assert.deepEqual(
      answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.code)),
      divisors.map((divisor) => (divisor === '0' ? '22012' : '100')),
    )
  })

  test('leaves the client open and usable for its owner', async ({ driver, useClient }) => {
    await ask(driver, DIVIDE, ['1'])
    await assert.rejects(ask(driver, DIVIDE, ['0']))
    if (lends) {
      await driver.withConnection((connection) => ask(connection, DIVIDE, ['1']))
      await assert.rejects(driver.withConnection((connection) => ask(connection, DIVIDE, ['0'])))
    }
    await useClient()
  })
}

/** Connections come and go without the application's help. */
export function reconnectTests(test: DriverTest): void {
  test('goes on after its idle connections were ended by the server', async (harness) => {
    await openAll(harness)
    await kill(harness)
    await comeBack(harness)
  })

  test('goes on after a lent connection was ended by the server', async (harness) => {
    const broken = harness.driver.withConnection(async (connection) => {
      await ask(connection, DIVIDE, ['1'])
      await kill(harness)
      await ask(connection, DIVIDE, ['1'])
    })
    await assert.rejects(broken)
    await comeBack(harness)
  })

  test('leaves its connections to a server that has become read-only, after one failure', async (harness) => {
    const { driver, connections } = harness
    const table = freshTable()
    const insert = `insert into ${table} values ('x') returning x`
    await driver.withConnection((connection) => connection.run(`create table ${table} (x text)`))
    await onEach(harness, (connection) => connection.run('set default_transaction_read_only = on'))
    await assert.rejects(ask(driver, insert), { code: '25006' })
    for (let count = 0; count < connections; count += 1) await ask(driver, insert)
    await driver.withConnection((connection) => connection.run(`drop table ${table}`))
  })

  test('goes on after a statement under way was ended by the server', async (harness) => {
    const sleeping = ask(harness.driver, `select 'slept' as x from pg_sleep(60)`)
    await Promise.all([assert.rejects(sleeping), untilOneSleeps(harness).then(() => kill(harness))])
    await comeBack(harness)
  })
}

async function openAll({ driver, connections }: DriverHarness): Promise<void> {
  await Promise.all(Array.from({ length: connections * 2 }, () => ask(driver, DIVIDE, ['1'])))
}

async function kill({ killBackends }: DriverHarness): Promise<void> {
  assert.ok(killBackends, 'a harness of a driver that reconnects needs killBackends')
  await killBackends()
}

/** Every dead connection may cost one statement, if the news of its death has not arrived. */
async function comeBack({ driver, connections, useClient }: DriverHarness): Promise<void> {
  let failures = 0
  while (true) {
    try {
      assert.equal(await askOne(driver, DIVIDE, ['4']), '25')
      break
    } catch (error) {
      failures += 1
      if (failures > connections) throw error
    }
  }
  await useClient()
}

async function untilOneSleeps({ driver }: DriverHarness): Promise<void> {
  const text = `select count(*)::text as sleeping from pg_stat_activity
    where datname = current_database() and wait_event = 'PgSleep'`
  while ((await askOne(driver, text)) === '0');
}
