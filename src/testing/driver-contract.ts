import assert from 'node:assert/strict'
import { cancellationTests } from './driver-contract/cancellation.ts'
import { answerTests, waitTests } from './driver-contract/deadlines.ts'
import { explanationTests } from './driver-contract/explanations.ts'
import { failureTests, reconnectTests } from './driver-contract/failures.ts'
import type { DriverHarness, DriverTest } from './driver-contract/harness.ts'
import { listeningTests } from './driver-contract/listening.ts'
import { loanTests } from './driver-contract/loans.ts'
import { networkFaultTests } from './driver-contract/network-faults.ts'
import { openTransactionTests } from './driver-contract/open-transactions.ts'
import { startupFaultTests } from './driver-contract/startup-faults.ts'
import { nameTests, textTests } from './driver-contract/texts.ts'
import { unlentTests } from './driver-contract/unlent.ts'
import { wrongAnswerTests } from './driver-contract/wrong-answers.ts'
import { harnessTest } from './harness-test.ts'
import type { TestRunner } from './store-contract.ts'

export type { DriverHarness, OtherDriver } from './driver-contract/harness.ts'

/** What a driver cannot do by its nature. */
export interface DriverTraits {
  /** Whether it makes its connections itself, and new ones for those that die. Default: `true`. */
  readonly reconnects?: boolean
  /** Whether its database runs inside this process, where nothing else happens meanwhile. Default: `false`. */
  readonly inProcess?: boolean
  /**
   * Whether `withConnection` lends connections. A driver over HTTP has none: it refuses, and the contract's faults of
   * connections do not concern it. Default: `true`.
   */
  readonly lends?: boolean
}

/**
 * Declares the tests that every `Driver` must pass, on the runner given.
 *
 * Each test opens a harness of its own and disposes of it. The database must be a real one; tests
 * make tables of their own in it and remove them. Give the client type parsers that spoil values:
 * a driver must not let them through. Failures are `AssertionError`s of node:assert.
 *
 * Some tests put a proxy between the driver and the server that loses replies, delays them, falls silent
 * and cuts connections, also while the driver connects. So the harness says where the database listens
 * (`server`) and makes further drivers (`driverAt`). A test of that name fails while one of them is missing.
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
 *   const server = { host: '127.0.0.1', port: 5432 }
 *   const settings = { ...server, user: 'ann', database: 'shop', application_name: 'contract' }
 *   const pool = new Pool({ ...settings, max: 4 })
 *   const admin = new Pool({ ...settings, max: 1, application_name: 'admin' })
 *   return {
 *     driver: fromPg(pool),
 *     connections: 4,
 *     server,
 *     driverAt: async (host, port) => {
 *       const other = new Pool({ ...settings, host, port, max: 4 })
 *       return { driver: fromPg(other), dispose: () => other.end() }
 *     },
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
  { reconnects = true, inProcess = false, lends = true }: DriverTraits = {},
): void {
  const test: DriverTest = harnessTest(runner, open)
  runner.describe('text in, text out', () => textTests(test))
  runner.describe('statement names', () => nameTests(test))
  runner.describe('failures', () => failureTests(test, lends))
  runner.describe('explanations of errors', () => explanationTests(test))
  if (!lends) {
    runner.describe('without connections', () => unlentTests(test))
    return
  }
  runner.describe('wrong answers', () => wrongAnswerTests(test, reconnects))
  runner.describe('lent connections', () => loanTests(test))
  runner.describe('waiting for a connection', () => waitTests(test))
  runner.describe("the application's own transactions", () => openTransactionTests(test))
  runner.describe('notifications', () => listeningTests(test))
  if (inProcess) return
  runner.describe('waiting for an answer', () => answerTests(test))
  runner.describe('what its faults need', () => equipmentTests(test))
  runner.describe('a network that fails', () => networkFaultTests(test, reconnects))
  runner.describe('statements that are given up', () => cancellationTests(test))
  if (!reconnects) return
  runner.describe('connections that die', () => reconnectTests(test))
  runner.describe('failures while connecting', () => startupFaultTests(test))
}

/** Without these, most of the contract could not fail. */
function equipmentTests(test: DriverTest): void {
  for (const part of ['killBackends', 'server', 'driverAt'] as const) {
    test(`is given ${part} by its harness`, async (harness) => {
      assert.ok(harness[part], `add \`${part}\` to what your \`open\` returns`)
    })
  }
}
