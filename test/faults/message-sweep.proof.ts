import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { type Fault, sweep } from './message-sweep.ts'
import { sweptDrivers } from './swept-drivers.ts'
import { sweptOperations } from './swept-operations.ts'

const faults: readonly Fault[] = [
  'cut after',
  'cut before',
  'cut for good',
  'slice',
  'delay',
  'swallow',
]

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())

describe.each(Object.entries(sweptDrivers))('%s', (driver, open) => {
  describe.each(Object.entries(sweptOperations))('%s', (_, operation) => {
    const crowds = operation.shares ? [1, 4] : [1]
    const plans = crowds.flatMap((calls) =>
      (['client', 'server'] as const).flatMap((side) =>
        faults.map((fault) => ({ open, operation, side, fault, calls, isWarm: true })),
      ),
    )
    test.each(plans)('$fault each message of the $side, $calls at once', async (plan) => {
      const { messages, none, unknown } = await sweep(harness, plan)
      expect(messages).toBeGreaterThan(2)
      if (plan.fault === 'slice' || plan.fault === 'delay') expect(none + unknown).toBe(0)
    })
  })

  // A client that comes connected has no messages of a startup.
  const cold = driver === 'one pg client' ? [] : (['create', 'save', 'destroy by id'] as const)
  describe.each(cold)('%s on a new connection', (name) => {
    const operation = sweptOperations[name] as NonNullable<(typeof sweptOperations)[string]>
    test.each(faults)('%s each message', async (fault) => {
      for (const side of ['client', 'server'] as const) {
        const plan = { open, operation, side, fault, calls: 1, isWarm: false }
        expect((await sweep(harness, plan)).messages).toBeGreaterThan(2)
      }
    })
  })
})
