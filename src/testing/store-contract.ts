import { harnessTest } from './harness-test.ts'
import { actorTests } from './store-contract/actors.ts'
import { byteTests } from './store-contract/bytes.ts'
import { capTests } from './store-contract/caps.ts'
import { checkTests } from './store-contract/check.ts'
import { concurrencyTests } from './store-contract/concurrency.ts'
import { concurrentEndingTests } from './store-contract/concurrent-endings.ts'
import { deadTokenTests } from './store-contract/dead-tokens.ts'
import { deadlineTests } from './store-contract/deadlines.ts'
import { deviceTests } from './store-contract/devices.ts'
import { elevationTests } from './store-contract/elevations.ts'
import { endingTests } from './store-contract/endings.ts'
import { entryTests } from './store-contract/entries.ts'
import { erasureTests } from './store-contract/erasure.ts'
import { guardTests } from './store-contract/guards.ts'
import type { StoreHarness, StoreTest } from './store-contract/harness.ts'
import { largeEntryTests } from './store-contract/large-entries.ts'
import { lifetimeTests } from './store-contract/lifetimes.ts'
import { recordTests } from './store-contract/records.ts'
import { renewalTests } from './store-contract/renewals.ts'
import { signInTests } from './store-contract/sign-in.ts'
import { storedValueTests } from './store-contract/stored-values.ts'
import { tagTests } from './store-contract/tags.ts'
import { tokenTests } from './store-contract/tokens.ts'
import { userTests } from './store-contract/users.ts'
import { watchingTests } from './store-contract/watching.ts'

export type { StoreHarness } from './store-contract/harness.ts'

/** The two functions of a test runner that a contract needs; vitest, node:test and jest have them. */
export interface TestRunner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
}

/**
 * Declares the tests that every `SessionStore` must pass, on the runner given.
 *
 * Each test opens a harness of its own and disposes of it. Failures are `AssertionError`s of
 * node:assert.
 *
 * @param open - Gives an empty store, ready for use.
 * @example
 * ```ts
 * import { describe, it } from 'node:test'
 * import { MemoryStore } from 'pg-sessions'
 * import { storeContract } from 'pg-sessions/testing'
 *
 * storeContract({ describe, it }, async () => {
 *   let now = Date.now()
 *   const store = new MemoryStore({ now: () => now })
 *   return {
 *     store,
 *     elapse: async (milliseconds) => {
 *       now += milliseconds
 *     },
 *     dispose: () => store.close(),
 *   }
 * })
 * ```
 */
export function storeContract(runner: TestRunner, open: () => Promise<StoreHarness>): void {
  const test: StoreTest = harnessTest(runner, open)
  runner.describe('records', () => recordTests(test))
  runner.describe('entries', () => entryTests(test))
  runner.describe('bytes', () => byteTests(test))
  runner.describe('large entries', () => largeEntryTests(test))
  runner.describe('tokens', () => tokenTests(test))
  runner.describe('renewals', () => renewalTests(test))
  runner.describe('sign-in', () => signInTests(test))
  runner.describe('dead tokens', () => deadTokenTests(test))
  runner.describe('deadlines', () => deadlineTests(test))
  runner.describe('lifetimes', () => lifetimeTests(test))
  runner.describe('what has ended', () => endingTests(test))
  runner.describe('users, counts and purge', () => userTests(test))
  runner.describe('devices', () => deviceTests(test))
  runner.describe('tags', () => tagTests(test))
  runner.describe('caps of users', () => capTests(test))
  runner.describe('actors', () => actorTests(test))
  runner.describe('second factors', () => elevationTests(test))
  runner.describe('erasure', () => erasureTests(test))
  runner.describe('values of all sessions', () => storedValueTests(test))
  runner.describe('check', () => checkTests(test))
  runner.describe('guards', () => guardTests(test))
  runner.describe('what can be watched', () => watchingTests(test))
  runner.describe('many at once', () => concurrencyTests(test))
  runner.describe('ends at once', () => concurrentEndingTests(test))
}
