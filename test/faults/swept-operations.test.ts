import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, expect, test } from 'vitest'
import { operationOf } from '../postgres/recording-driver.ts'
import { arrange } from './message-sweep.ts'
import { pooledTransaction } from './swept-drivers.ts'
import { sweptOperations } from './swept-operations.ts'
import type { SweptOperation } from './swept-session.ts'
import { nativeTables, type SweptTables, waiTables } from './swept-tables.ts'
import { sweptWaiOperations } from './swept-wai-operations.ts'

/*
 * Every operation of the stores is swept: the folders say which there are, and recorded statements which the sweep
 * sends. An operation that is in neither list has no test of what a caller is told when its answer gets lost.
 */

const opened: SweptTables[] = []
afterAll(() => Promise.all(opened.map((tables) => tables.dispose())))

test.each([
  ['PostgresStore', 'src/postgres/operations', nativeTables, sweptOperations],
  ['WaiStore', 'src/haskell/operations', waiTables, sweptWaiOperations],
] as const)('each operation of %s is swept', async (_, folder, openTables, operations) => {
  const tables = await openTables()
  opened.push(tables)
  const sent = new Set(LEFT_OUT.keys())
  for (const operation of Object.values<SweptOperation>(operations)) {
    for (const name of await run(tables, operation)) sent.add(name)
  }
  const defined = await definedIn(folder)
  expect(defined.length).toBeGreaterThan(10)
  expect(defined.filter((name) => !sent.has(name))).toEqual([])
})

/** Operations that a sweep reaches by its faults alone, or not. */
const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ['find_created', 'sent after a create whose answer got lost'],
  ['wai_find_created', 'sent after a create whose answer got lost'],
  ['purge_distributed', 'sent on distributed tables only; changes nothing that lives'],
  ['destroy_in_transaction', 'sent by the client of the application'],
  ['mark_transaction', 'sent by the client of the application; changes nothing'],
  ['database_identity', 'sent by the client of the application; changes nothing'],
  ['transaction_status', 'asked in the background, for the event of an ending'],
])

/** The names that the files of a folder give their operations. */
async function definedIn(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const named = texts
    .filter((text) => /\boperation\(\{/.test(text))
    .flatMap((text) => [
      ...text.matchAll(/\bname: '(?<name>[a-z_]+)'/g),
      // A function that makes several of a kind is given the name of each.
      ...(/^ +name,$/m.test(text)
        ? text.matchAll(/'(?<name>(?:wai_)?(?:load|update)(?:_[a-z]+)*)'/g)
        : []),
    ])
  const names = named.map(({ groups }) => groups?.['name'] ?? '')
  // What several sessions are chosen by is a part of other names.
  return [...new Set(names)].filter((name) => !name.startsWith('by_'))
}

/** Runs it alone, and four at once where several share a statement. Gives the operations that were sent. */
async function run(tables: SweptTables, operation: SweptOperation): Promise<readonly string[]> {
  const sent: string[] = []
  const driver = recorded(fromPg(tables.pool), sent)
  const store = tables.storeOn(driver, { joinsUser: operation.joinsUser === true })
  const transaction = pooledTransaction(tables.pool)
  for (const calls of operation.shares ? [1, 4] : [1]) {
    const plan = { operation }
    const sessions = await Promise.all(Array.from({ length: calls }, () => arrange(tables, plan)))
    await Promise.all(sessions.map((session) => operation.call(store, session, transaction)))
  }
  await store.close()
  return sent
}

function recorded(driver: Driver, sent: string[]): Driver {
  const recording = <Asked extends Pick<Driver, 'query'>>(asked: Asked): Asked => ({
    ...asked,
    query(statement, options) {
      sent.push(operationOf(statement.name))
      return asked.query(statement, options)
    },
  })
  return {
    ...recording(driver),
    withConnection: (use, options) =>
      driver.withConnection((connection) => use(recording(connection)), options),
  }
}
