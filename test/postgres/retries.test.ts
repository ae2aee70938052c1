import { expect, test } from 'vitest'
import type { Driver } from '../../src/postgres/driver.ts'
import { operation } from '../../src/postgres/operation.ts'
import { StatementRunner } from '../../src/postgres/statement-runner.ts'
import { Deadline } from '../../src/store/deadline.ts'

/** What PostgreSQL says of a collision and of a lock that did not come: nothing of the statement was applied. */
const DEADLOCK = Object.assign(new Error('deadlock detected'), { code: '40P01' })
const LOCKED = Object.assign(new Error('canceling statement'), { code: '55P03' })

const LOST = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
const REFUSED = Object.assign(new Error('connect ECONNREFUSED'), {
  code: 'ECONNREFUSED',
  syscall: 'connect',
})

function failing(...errors: readonly Error[]): {
  readonly runner: StatementRunner
  readonly timeouts: number[]
} {
  const timeouts: number[] = []
  const driver: Driver = {
    name: 'failing',
    async query(_statement, { timeout }) {
      timeouts.push(timeout)
      throw errors[timeouts.length - 1] ?? DEADLOCK
    },
    withConnection: () => Promise.reject(new Error('is not used')),
  }
  return { runner: new StatementRunner(driver, 60_000), timeouts }
}

const definition = {
  name: 'any',
  parameters: {},
  give: () => ({}),
  sql: () => ({ answer: 'select 1 as one' }),
  rows: () => undefined,
}
const once = operation({ ...definition, effect: 'once' })
const again = operation({ ...definition, effect: 'idempotent' })

test('what has surely had no effect is tried three times, and collisions beside, with what is left of the budget', async () => {
  const { runner, timeouts } = failing(LOCKED, DEADLOCK, DEADLOCK, LOCKED, DEADLOCK, LOCKED)
  await expect(runner.ask(once, undefined)).rejects.toMatchObject({
    code: 'ERR_STORE_UNAVAILABLE',
    outcome: 'none',
  })
  expect(timeouts).toHaveLength(6)
  expect(timeouts).toEqual([...timeouts].sort((a, b) => b - a))
  expect(timeouts[5]).toBeLessThan(60_000)
})

test('no further try is made when the budget would be spent before it', async () => {
  const { runner, timeouts } = failing()
  // Its clock stands still: on a busy machine a real millisecond could be over before the first try.
  const deadline = Object.assign(new Deadline(1), { left: () => 1 })
  const failed = runner.ask(once, undefined, deadline)
  await expect(failed).rejects.toMatchObject({ outcome: 'none' })
  expect(timeouts).toHaveLength(1)
})

test('once an attempt may have been applied, the outcome is unknown, whatever a later attempt met', async () => {
  const written = failing(LOST, REFUSED, REFUSED)
  const failed = written.runner.ask(again, undefined)
  await expect(failed).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'unknown' })
  expect(written.timeouts).toHaveLength(3)
})

test('what may have been applied and must not happen twice is sent once', async () => {
  const { runner, timeouts } = failing(LOST)
  const failed = runner.ask(once, undefined)
  await expect(failed).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'unknown' })
  expect(timeouts).toHaveLength(1)
})
