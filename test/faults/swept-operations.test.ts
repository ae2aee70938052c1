import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, expect, test, vi } from 'vitest'
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

const seen = vi.hoisted(() => ({
  /** The operations that a file has defined, by the file. */
  defined: new Map<string, Set<string>>(),
  sent: new Set<string>(),
}))

vi.mock('../../src/postgres/operation.ts', async (load) => {
  const original = await load<typeof import('../../src/postgres/operation.ts')>()
  return {
    ...original,
    operation(definition: { readonly name: string }) {
      const { name } = definition
      const file =
        /src[/][a-z]+[/]operations[/][a-z-]+[.]ts/.exec(new Error().stack ?? '')?.[0] ?? 'elsewhere'
      seen.defined.set(file, (seen.defined.get(file) ?? new Set()).add(name))
      const operation = original.operation(definition as never)
      return {
        ...operation,
        statement(call: never, proof: string) {
          seen.sent.add(name)
          return operation.statement(call, proof)
        },
      }
    },
  }
})

const opened: SweptTables[] = []
afterAll(() => Promise.all(opened.map((tables) => tables.dispose())))

test.each([
  ['PostgresStore', 'src/postgres/operations', nativeTables, sweptOperations],
  ['WaiStore', 'src/haskell/operations', waiTables, sweptWaiOperations],
] as const)('each operation of %s is swept', async (_, folder, openTables, operations) => {
  const tables = await openTables()
  opened.push(tables)
  seen.sent.clear()
  for (const operation of Object.values<SweptOperation>(operations)) await run(tables, operation)
  const files = await filesWithOperations(folder)
  expect(files.length).toBeGreaterThan(5)
  expect(files.filter((file) => !seen.defined.has(file))).toEqual([])
  const unswept = files
    .flatMap((file) => [...(seen.defined.get(file) ?? [])])
    .filter((name) => !seen.sent.has(name) && !LEFT_OUT.has(name))
  expect(unswept).toEqual([])
})

/** Operations that a sweep reaches by its faults alone, or not. */
const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ['find_created', 'sent after a create whose answer got lost'],
  ['wai_find_created', 'sent after a create whose answer got lost'],
  ['purge_distributed', 'sent on distributed tables only; changes nothing that lives'],
  ['transaction_status', 'asked in the background, for the event of an ending'],
])

async function filesWithOperations(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  return files
    .filter((_, n) => /\boperation\(\{/.test(texts[n] ?? ''))
    .map((file) => `${folder}/${file}`)
}

/** Runs it alone, and four at once where several share a statement. */
async function run(tables: SweptTables, operation: SweptOperation): Promise<void> {
  const store = tables.storeOn(fromPg(tables.pool), { joinsUser: operation.joinsUser === true })
  const transaction = pooledTransaction(tables.pool)
  for (const calls of operation.shares ? [1, 4] : [1]) {
    const plan = { operation }
    const sessions = await Promise.all(Array.from({ length: calls }, () => arrange(tables, plan)))
    await Promise.all(sessions.map((session) => operation.call(store, session, transaction)))
  }
  await store.close()
}
