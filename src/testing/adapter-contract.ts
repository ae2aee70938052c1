import { bearerSessions } from '../http/bearer/bearer-sessions.ts'
import { MemoryStore } from '../store/memory-store.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { OpenApplication } from './adapter-contract/application.ts'
import { bearerTests } from './adapter-contract/bearer.ts'
import { companyTests } from './adapter-contract/company.ts'
import { cookieTests } from './adapter-contract/cookies.ts'
import { crowdTests } from './adapter-contract/crowds.ts'
import { errorTests } from './adapter-contract/errors.ts'
import { guardTests } from './adapter-contract/guards.ts'
import { type AdapterTest, onStage } from './adapter-contract/harness.ts'
import { savingTests } from './adapter-contract/saving.ts'
import { streamTests } from './adapter-contract/streams.ts'
import { visitTests } from './adapter-contract/visits.ts'
import type { TestRunner } from './store-contract.ts'

export {
  type ApplicationParts,
  type ErrorPage,
  type OpenApplication,
  type OwnHeaders,
  ownHeaders,
  type RunningApplication,
  type Script,
} from './adapter-contract/application.ts'

/** What an adapter's framework has, and where its sessions are kept. */
export interface AdapterTraits {
  /** Whether a route can answer past the framework, on Node's own response. Default: `true`. */
  readonly raw?: boolean
  /** Whether `requireFresh` takes `redirectTo`. Default: `true`. */
  readonly redirects?: boolean
  /** Whether routes find the session as a property that they can assign. Default: `true`. */
  readonly property?: boolean
  /** Whether the adapter passes on `Authorization`, for `bearerSessions`. Default: `true`. */
  readonly bearer?: boolean
  /** Gives an empty store, or one that tests can share. Default: a new `MemoryStore`. */
  readonly openStore?: () => SessionStore
}

/**
 * Declares the tests that every adapter must pass, on the runner given.
 *
 * They drive a small application in the adapter's framework over real HTTP. It is opened for each
 * test, with sessions of its own whose store the test can hold back and fail. What its routes are is
 * written at `OpenApplication`. Failures are `AssertionError`s of node:assert.
 *
 * @example
 * ```ts
 * import { once } from 'node:events'
 * import { describe, it } from 'node:test'
 * import express from 'express'
 * import { expressSessions } from 'pg-sessions/express'
 * import { adapterContract } from 'pg-sessions/testing'
 *
 * adapterContract({ describe, it }, async ({ sessions, script }) => {
 *   const app = express()
 *   app.use(expressSessions(sessions))
 *   app.get('/change', (req, res) => {
 *     script.change(req.session, req.url)
 *     res.send('changed')
 *   })
 *   // ... and the other routes of OpenApplication
 *   const server = app.listen(0, '127.0.0.1')
 *   await once(server, 'listening')
 *   const address = server.address()
 *   const port = typeof address === 'object' ? address?.port : undefined
 *   return {
 *     origin: `http://127.0.0.1:${port}`,
 *     close: async () => {
 *       server.close()
 *       server.closeAllConnections()
 *     },
 *   }
 * })
 * ```
 */
export function adapterContract(
  runner: TestRunner,
  openApplication: OpenApplication,
  {
    raw = true,
    redirects = true,
    property = true,
    bearer = true,
    openStore = () => new MemoryStore(),
  }: AdapterTraits = {},
): void {
  const test: AdapterTest = (sentence, body) => {
    runner.it(sentence, () => onStage(openApplication, openStore, body))
  }
  runner.describe('a request that stores nothing', () => visitTests(test))
  runner.describe('the cookie', () => cookieTests(test))
  runner.describe('the save', () => savingTests(test, { raw }))
  runner.describe('errors', () => errorTests(test))
  runner.describe('streams and clients that hang up', () => streamTests(test))
  runner.describe('many at once', () => crowdTests(test))
  runner.describe('in company', () => companyTests(test))
  runner.describe('bearer sessions', () => {
    if (!bearer) return
    bearerTests((sentence, body) => {
      runner.it(sentence, () => onStage(openApplication, openStore, body, bearerSessions))
    })
  })
  runner.describe('guards', () => guardTests(test, { redirects, property }))
}
