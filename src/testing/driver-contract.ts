import { answerTests, waitTests } from './driver-contract/deadlines.ts'
import { explanationTests } from './driver-contract/explanations.ts'
import { failureTests, reconnectTests } from './driver-contract/failures.ts'
import type { DriverHarness, DriverTest } from './driver-contract/harness.ts'
import { listeningTests } from './driver-contract/listening.ts'
import { loanTests } from './driver-contract/loans.ts'
import { nameTests, textTests } from './driver-contract/texts.ts'
import { wrongAnswerTests } from './driver-contract/wrong-answers.ts'
import { harnessTest } from './harness-test.ts'
import type { TestRunner } from './store-contract.ts'

export type { DriverHarness } from './driver-contract/harness.ts'

/** What a driver cannot do by its nature. */
export interface DriverTraits {
  /** Whether it makes new connections for dead ones. Default: `true`. */
  readonly reconnects?: boolean
  /** Whether its database runs inside this process, where nothing else happens meanwhile. Default: `false`. */
  readonly inProcess?: boolean
}

/**
 * Declares the tests that every `Driver` must pass, on the runner given.
 *
 * Each test opens a harness of its own and disposes of it. The database must be a real one; tests
 * make tables of their own in it and remove them. Give the client type parsers that spoil values:
 * a driver must not let them through. Failures are `AssertionError`s of node:assert.
 *
 * @param open - Returns a driver on a client that is used for nothing else.
 * @example
 * ```ts
 * import { describe, it } from 'node:test'
 * import { Pool } from 'pg'
 * import { fromPg } from 'pg-sessions/pg'
 * import { driverContract } from 'pg-sessions/testing'
 *
 * driverContract({ describe, it }, async () => {
 *   const pool = new Pool({ max: 4, application_name: 'contract' })
 *   const admin = new Pool({ max: 1 })
 *   return {
 *     driver: fromPg(pool),
 *     connections: 4,
 *     useClient: async () => {
 *       await pool.query('select 1')
 *     },
 *     killBackends: async () => {
 *       await admin.query(
 *         `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'contract'`,
 *       )
 *     },
 *     dispose: async () => {
 *       await pool.end()
 *       await admin.end()
 *     },
 *   }
 * })
 * ```
 */
export function driverContract(
  runner: TestRunner,
  open: () => Promise<DriverHarness>,
  { reconnects = true, inProcess = false }: DriverTraits = {},
): void {
  const test: DriverTest = harnessTest(runner, open)
  runner.describe('text in, text out', () => textTests(test))
  runner.describe('statement names', () => nameTests(test))
  runner.describe('failures', () => failureTests(test))
  runner.describe('explanations of errors', () => explanationTests(test))
  runner.describe('wrong answers', () => wrongAnswerTests(test, reconnects))
  runner.describe('lent connections', () => loanTests(test))
  runner.describe('waiting for a connection', () => waitTests(test))
  if (!inProcess) runner.describe('waiting for an answer', () => answerTests(test))
  runner.describe('notifications', () => listeningTests(test))
  if (reconnects) runner.describe('connections that die', () => reconnectTests(test))
}
