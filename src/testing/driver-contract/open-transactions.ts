import assert from 'node:assert/strict'
import type { Driver } from '../../postgres/driver.ts'
import { ask, askOne, type DriverHarness, type DriverTest, freshTable } from './harness.ts'

type Run = NonNullable<DriverHarness['runOnClient']>

const WAYS: Readonly<Record<string, (driver: Driver, insert: string) => Promise<unknown>>> = {
  'a statement': (driver, insert) => askOne(driver, insert),
  'a statement of a loan': (driver, insert) =>
    driver.withConnection((connection) => askOne(connection, insert)),
}

const TRANSACTIONS: Readonly<Record<string, (run: Run) => Promise<unknown>>> = {
  'has left open': (run) => run('begin'),
  'begins meanwhile': (run) => Promise.all([run('begin'), run('select 1')]),
  'has left open after an error': async (run) => {
    await run('begin')
    await run('select 1 / 0').catch(() => {})
  },
}

/** The application's rollback undoes nothing that the driver has acknowledged, and nothing happens that it has refused. */
export function openTransactionTests(test: DriverTest): void {
  for (const [way, insert] of Object.entries(WAYS)) {
    for (const [transaction, begin] of Object.entries(TRANSACTIONS)) {
      test(`${way} is not undone by a transaction that the application ${transaction}`, async ({
        driver,
        runOnClient,
      }) => {
        if (runOnClient === undefined) return
        const table = freshTable()
        await ask(driver, `create table ${table} (name text)`)
        const begun = begin(runOnClient)
        if (transaction !== 'begins meanwhile') await begun
        const outcome = await insert(driver, `insert into ${table} values ('ann') returning name`)
          .then(() => 'done')
          .catch((error: unknown) => driver.explain?.(error)?.outcome ?? 'none')
        await begun
        await runOnClient('rollback')
        const kept = await ask(driver, `select name from ${table}`)
        await ask(driver, `drop table ${table}`)
        if (outcome !== 'unknown') assert.equal(kept.length, outcome === 'done' ? 1 : 0, outcome)
      })
    }
  }
}
