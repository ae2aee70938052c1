import assert from 'node:assert/strict'
import type { Row, Statement } from '../../postgres/driver.ts'
import { askOne, type DriverHarness, type DriverTest } from './harness.ts'

const PID: Statement = {
  name: 'driver_contract_pid',
  text: 'select pg_backend_pid()::text as pid',
  values: [],
}

class WrongAnswer extends Error {}

/** An answer that does not pass `check` reaches no caller, and its connection sends no other one. */
export function wrongAnswerTests(test: DriverTest, reconnects: boolean): void {
  test('gives the rows to check before it uses the connection again', async ({ driver }) => {
    const seen: (readonly Row[])[] = []
    const rows = await driver.query(PID, { timeout: 20_000, check: (given) => seen.push(given) })
    assert.deepEqual(seen, [rows])
    assert.equal(rows.length, 1)
  })

  test('rejects with the error that check throws', async ({ driver }) => {
    const fault = new WrongAnswer()
    await assert.rejects(refused(driver, fault), (error) => error === fault)
    await assert.rejects(
      driver.withConnection((connection) => refused(connection, fault)),
      (error) => error === fault || !reconnects,
    )
  })

  if (!reconnects) {
    test('sends nothing more on its only connection once check has thrown', async ({ driver }) => {
      await assert.rejects(refused(driver, new WrongAnswer()), WrongAnswer)
      await assert.rejects(askOne(driver, PID.text), /not its answer/)
      await assert.rejects(driver.withConnection((connection) => askOne(connection, PID.text)))
    })
    return
  }

  test('never uses a connection again on which check has thrown', async (harness) => {
    const spoilt = new Set<string>()
    for (let count = 0; count < harness.connections * 2; count += 1) {
      const pid = await pidOfRefused(harness)
      assert.ok(!spoilt.has(pid), 'a connection was used after check had thrown on it')
      spoilt.add(pid)
    }
    await harness.useClient()
  })

  test('discards a lent connection on which check has thrown, even if use goes on', async (harness) => {
    let pid: string | null | undefined
    await harness.driver.withConnection(async (connection) => {
      await assert.rejects(
        refused(connection, new WrongAnswer(), (row) => {
          pid = row?.['pid']
        }),
        WrongAnswer,
      )
    })
    const pids = await Promise.all(
      Array.from({ length: harness.connections * 2 }, () => askOne(harness.driver, PID.text)),
    )
    assert.ok(!pids.includes(pid))
  })
}

function refused(
  connection: Pick<DriverHarness['driver'], 'query'>,
  fault: Error,
  look: (row: Row | undefined) => void = () => {},
): Promise<readonly Row[]> {
  const check = ([row]: readonly Row[]): void => {
    look(row)
    throw fault
  }
  return connection.query(PID, { timeout: 20_000, check })
}

async function pidOfRefused({ driver }: DriverHarness): Promise<string> {
  let pid: string | null | undefined
  const query = refused(driver, new WrongAnswer(), (row) => {
    pid = row?.['pid']
  })
  await assert.rejects(query, WrongAnswer)
  assert.ok(pid)
  return pid
}
