import assert from 'node:assert/strict'
import { ask, askOne, type DriverTest, exists, freshTable } from './harness.ts'

const PID = 'select pg_backend_pid()::text as pid'

/** A lent connection is one connection, used exclusively, and clean when it comes back. */
export function loanTests(test: DriverTest): void {
  test('lends one connection for all statements of a loan', async ({ driver }) => {
    const pids = await driver.withConnection(async (connection) => [
      await askOne(connection, PID),
      await askOne(connection, PID),
      await askOne(connection, PID),
    ])
    assert.equal(new Set(pids).size, 1)
  })

  test('gives what use resolves to, or rejects with the very error of use', async ({ driver }) => {
    const gift = {}
    assert.equal(await driver.withConnection(async () => gift), gift)
    const fault = new RangeError('use failed')
    await assert.rejects(
      driver.withConnection(() => Promise.reject(fault)),
      (error) => error === fault,
    )
  })

  test('keeps the statements of others out of a lent connection', async ({ driver }) => {
    const text = 'select pg_current_xact_id_if_assigned()::text as transaction'
    const others: Promise<unknown>[] = []
    await driver.withConnection(async (connection) => {
      await connection.run('begin')
      assert.ok(await askOne(connection, 'select pg_current_xact_id()::text as transaction'))
      for (let count = 0; count < 20; count += 1) others.push(askOne(driver, text))
      for (let count = 0; count < 20; count += 1) assert.ok(await askOne(connection, text))
      await connection.run('commit')
    })
    assert.deepEqual(await Promise.all(others), Array(20).fill(null))
  })

  test('keeps loans apart', async ({ driver }) => {
    const text = 'select pg_current_xact_id()::text as transaction'
    const loans = Array.from({ length: 8 }, () =>
      driver.withConnection(async (connection) => {
        await connection.run('begin')
        const seen = [await askOne(connection, text), await askOne(connection, text)]
        await connection.run('commit')
        return new Set(seen)
      }),
    )
    const transactions = await Promise.all(loans)
    assert.deepEqual(
      transactions.map(({ size }) => size),
      Array(8).fill(1),
    )
    assert.equal(new Set(transactions.flatMap((seen) => [...seen])).size, 8)
  })

  test('runs several statements at once, and shows others what was committed', async ({
    driver,
  }) => {
    const table = freshTable()
    await driver.withConnection((connection) =>
      connection.run(
        `begin; create table ${table} (x text); insert into ${table} values ('a;b'); commit`,
      ),
    )
    assert.equal(await askOne(driver, `select x from ${table}`), 'a;b')
    await driver.withConnection((connection) => connection.run(`drop table ${table}`))
  })

  test('rejects a run with the SQLSTATE in code', async ({ driver }) => {
    await assert.rejects(
      driver.withConnection((connection) => connection.run('select 1; select 1 / 0')),
      { code: '22012' },
    )
  })

  test('lets use go on after a statement that failed', async ({ driver }) => {
    const answer = await driver.withConnection(async (connection) => {
      await assert.rejects(ask(connection, 'select (1 / $1::int)::text as x', ['0']), {
        code: '22012',
      })
      return await askOne(connection, PID)
    })
    assert.ok(answer)
  })

  test('undoes a transaction that a throwing use left open', async ({ driver, connections }) => {
    const table = freshTable()
    for (let count = 0; count < connections * 2; count += 1) {
      const loan = driver.withConnection(async (connection) => {
        await connection.run(`begin; create table ${table} (x text)`)
        throw new RangeError('use failed')
      })
      await assert.rejects(loan, RangeError)
    }
    assert.equal(await exists(driver, table), false)
  })

  test('leaves no failed transaction to the next user', async ({ driver, connections }) => {
    for (let count = 0; count < connections * 2; count += 1) {
      const loan = driver.withConnection(async (connection) => {
        await connection.run('begin')
        await ask(connection, 'select (1 / $1::int)::text as x', ['0'])
      })
      await assert.rejects(loan, { code: '22012' })
    }
    const answers = Array.from({ length: connections * 2 }, () => askOne(driver, PID))
    for (const pid of await Promise.all(answers)) assert.ok(pid)
  })
}
