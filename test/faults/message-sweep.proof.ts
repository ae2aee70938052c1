import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Fault, type Sweep, sweep } from './message-sweep.ts'
import { sweptDrivers } from './swept-drivers.ts'
import { sweptOperations } from './swept-operations.ts'
import type { SweptOperation } from './swept-session.ts'
import { nativeTables, type SweptTables, waiTables } from './swept-tables.ts'
import { sweptWaiOperations } from './swept-wai-operations.ts'

const faults: readonly Fault[] = [
  'cut after',
  'cut before',
  'cut for good',
  'slice',
  'delay',
  'swallow',
]

const stores = [
  ['PostgresStore', nativeTables, sweptOperations],
  ['WaiStore', waiTables, sweptWaiOperations],
] as const

describe.each(Object.entries(sweptDrivers))('%s', (driver, open) => {
  describe.each(stores)('%s', (_, openTables, operations) => {
    let tables: SweptTables
    beforeAll(async () => {
      tables = await openTables()
    })
    afterAll(() => tables.dispose())

    describe.each(Object.entries(operations))('%s', (_, operation) => {
      test.each(plansOf(operation))(
        '$fault each message of the $side, $calls at once',
        async (plan) => {
          const { messages, none, unknown } = await sweep(tables, { ...plan, open })
          expect(messages).toBeGreaterThan(2)
          if (plan.fault === 'slice' || plan.fault === 'delay') expect(none + unknown).toBe(0)
        },
      )
    })

    // A client that comes connected has no messages of a startup.
    const cold = driver === 'one pg client' ? [] : (['create', 'save', 'destroy by id'] as const)
    describe.each(cold)('%s on a new connection', (name) => {
      const operation = operations[name] as SweptOperation
      test.each(faults)('%s each message', async (fault) => {
        for (const side of ['client', 'server'] as const) {
          const plan = { open, operation, side, fault, calls: 1, isWarm: false }
          expect((await sweep(tables, plan)).messages).toBeGreaterThan(2)
        }
      })
    })
  })
})

function plansOf(operation: SweptOperation): Omit<Sweep, 'open'>[] {
  const crowds = operation.shares ? [1, 4] : [1]
  // A transaction of the application's ends when its client says so, so it waits for a swallowed message for ever.
  const met = operation.isTheirs ? faults.filter((fault) => fault !== 'swallow') : faults
  return crowds.flatMap((calls) =>
    (['client', 'server'] as const).flatMap((side) =>
      met.map((fault) => ({ operation, side, fault, calls, isWarm: true })),
    ),
  )
}
