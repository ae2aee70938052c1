import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sweep } from './message-sweep.ts'
import { sweptDrivers } from './swept-drivers.ts'
import { sweptOperations } from './swept-operations.ts'
import { nativeTables, type SweptTables } from './swept-tables.ts'

/*
 * A sample of what `npm run test:proof -- sweep` does with every driver, operation and fault: a connection is cut
 * after its first message, its second, and so on. Whatever the cut, what a call was told agrees with the database.
 */

let tables: SweptTables

beforeAll(async () => {
  tables = await nativeTables()
})
afterAll(() => tables.dispose())

const open = sweptDrivers.pg as NonNullable<typeof sweptDrivers.pg>
const sampled = ['fetch', 'sign in another user', 'destroy by id']
const sharing = ['load', 'save']
const operations = Object.entries(sweptOperations)

describe('cut after each message of the server', () => {
  test.each(operations.filter(([name]) => sampled.includes(name)))(
    '%s agrees with the database',
    async (_, operation) => {
      const plan = {
        open,
        operation,
        side: 'server',
        fault: 'cut after',
        calls: 1,
        isWarm: true,
      } as const
      const { messages, unknown } = await sweep(tables, plan)
      expect(messages).toBeGreaterThan(3)
      if (operation.reads) expect(unknown).toBe(0)
    },
  )
})

describe('cut before each message of the client, in shared statements', () => {
  test.each(operations.filter(([name]) => sharing.includes(name)))(
    '%s agrees with the database',
    async (_, operation) => {
      const plan = {
        open,
        operation,
        side: 'client',
        fault: 'cut before',
        calls: 4,
        isWarm: true,
      } as const
      const { messages } = await sweep(tables, plan)
      expect(messages).toBeGreaterThan(3)
    },
  )
})
