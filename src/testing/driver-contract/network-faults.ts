import assert from 'node:assert/strict'
import type { Driver } from '../../postgres/driver.ts'
import type { PostgresMessage } from '../fault-proxy/postgres-messages.ts'
import {
  ask,
  askOne,
  type DriverHarness,
  type DriverTest,
  explanationOf,
  failureOf,
  freshTable,
  throughProxy,
} from './harness.ts'

const ECHO = 'select $1::text as echo'
const SECRET = 'a value that no message may show'

/** Long enough to send a statement on an open connection, even on a busy machine. */
const SHORT = 500

/** The first byte of a reply that says that a command is complete. */
const isReply = ({ from, type }: PostgresMessage): boolean => from === 'server' && type === 'C'

/** The network may lose, delay or cut what is under way. No caller is given a wrong answer for it. */
export function networkFaultTests(test: DriverTest, reconnects: boolean): void {
  test('says that a statement whose reply got lost may have been applied, and sends it once', (harness) =>
    withTable(harness, (table) =>
      throughProxy(harness, async ({ proxy, driver }) => {
        await ask(driver, ECHO, ['warm'])
        const lost = proxy.cutBefore(isReply)
        const insert = `insert into ${table} values ($1::text) returning x`
        const error = await failureOf(ask(driver, insert, [SECRET]))
        await lost
        const explanation = explanationOf(driver, error)
        assert.equal(explanation.outcome, 'unknown')
        assert.equal(explanation.kind, 'lost')
        assert.notEqual(explanation.reason, '')
        assert.ok(!JSON.stringify(explanation).includes(SECRET), 'it shows a value')
        assert.equal(await countOf(harness, table), '1')
        await recover(driver, reconnects)
      }),
    ))

  test('gives no rows of an answer that was cut off between them', (harness) =>
    throughProxy(harness, async ({ proxy, driver }) => {
      await ask(driver, ECHO, ['warm'])
      let rows = 0
      const cut = proxy.cutBefore(
        ({ from, type }) => from === 'server' && type === 'D' && ++rows > 2,
      )
      const text = 'select n::text as n from generate_series(1, 5) as n'
      const error = await failureOf(ask(driver, text))
      await cut
      assert.equal(explanationOf(driver, error).outcome, 'unknown')
      await recover(driver, reconnects)
    }))

  test('gives no rows of an answer whose end was cut off', (harness) =>
    throughProxy(harness, async ({ proxy, driver }) => {
      await ask(driver, ECHO, ['warm'])
      const cut = proxy.cutBefore(isReply)
      const error = await failureOf(ask(driver, ECHO, ['cut off']))
      await cut
      assert.equal(explanationOf(driver, error).outcome, 'unknown')
      await recover(driver, reconnects)
    }))

  test('applies nothing of a statement that got lost on its way', (harness) =>
    withTable(harness, (table) =>
      throughProxy(harness, async ({ proxy, driver }) => {
        await ask(driver, ECHO, ['warm'])
        const lost = proxy.cutBefore(({ from }) => from === 'client')
        await failureOf(ask(driver, `insert into ${table} values ('lost') returning x`))
        await lost
        assert.equal(await countOf(harness, table), '0')
        await recover(driver, reconnects)
      }),
    ))

  test('gives up on a server that falls silent, says that the outcome is unknown, and recovers', (harness) =>
    throughProxy(harness, async ({ proxy, driver }) => {
      await ask(driver, ECHO, ['warm'])
      const silent = proxy.hold(({ from }) => from === 'client')
      const error = await failureOf(ask(driver, ECHO, ['silence'], SHORT))
      await silent
      assert.equal(explanationOf(driver, error).outcome, 'unknown')
      await proxy.pass()
      await recover(driver, true)
    }))

  test('gives an answer that comes after its caller has given up to no other caller', (harness) =>
    throughProxy(harness, async ({ proxy, driver }) => {
      await ask(driver, ECHO, ['warm'])
      for (let round = 0; round < 2; round += 1) {
        const late = proxy.hold(isReply)
        await failureOf(ask(driver, ECHO, [`late ${round}`], SHORT))
        await late
        const sent = Array.from({ length: harness.connections * 2 }, (_, n) => `${round} ${n}`)
        const echoes = Promise.all(sent.map((value) => askOne(driver, ECHO, [value])))
        await proxy.pass()
        assert.deepEqual(await echoes, sent)
      }
    }))

  test('gives each caller its own answer over a slow network', (harness) =>
    throughProxy(harness, async ({ proxy, driver }) => {
      await proxy.delay(5)
      const sent = Array.from({ length: 12 }, (_, n) => `value ${n}`)
      const echoes = await Promise.all(sent.map((value) => askOne(driver, ECHO, [value])))
      assert.deepEqual(echoes, sent)
    }))

  test('goes on, or refuses every call at once, after the network cut all its connections', (harness) =>
    throughProxy(harness, async ({ proxy, driver }) => {
      await Promise.all(
        Array.from({ length: harness.connections * 2 }, () => ask(driver, ECHO, ['warm'])),
      )
      proxy.cut()
      await recover(driver, reconnects, harness.connections)
    }))
}

async function withTable(
  { driver }: DriverHarness,
  use: (table: string) => Promise<void>,
): Promise<void> {
  const table = freshTable()
  await driver.withConnection((connection) => connection.run(`create table ${table} (x text)`))
  await use(table)
  await driver.withConnection((connection) => connection.run(`drop table ${table}`))
}

/** Asks on a connection that meets no fault. */
function countOf({ driver }: DriverHarness, table: string): Promise<string | null | undefined> {
  return askOne(driver, `select count(*)::text as count from ${table}`)
}

/**
 * The driver serves the next call. Each connection that died may cost one, until news of its death comes. A driver that
 * cannot make a new connection refuses what comes, and says that nothing was sent.
 */
async function recover(driver: Driver, reconnects: boolean, dead = 1): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    try {
      const echo = await askOne(driver, ECHO, ['back'])
      assert.equal(echo, 'back')
      assert.ok(reconnects, 'the connection was cut, and yet the driver was given an answer')
      return
    } catch (error) {
      if (error instanceof assert.AssertionError || (reconnects && failures >= dead)) throw error
      if (!reconnects && explanationOf(driver, error).outcome === 'none') return
    }
  }
}
