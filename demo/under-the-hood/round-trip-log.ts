import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestHandler } from 'express'
import type { Driver } from 'pg-sessions/driver'
import { statementName } from './statement-names.ts'

/** One question to the database and its answer. */
interface RoundTrip {
  readonly operation: string
  readonly milliseconds: number
}

/** What one request asked of the database for its session. */
export interface RequestTrace {
  readonly request: string
  readonly roundTrips: RoundTrip[]
}

/** Sessions whose last change is remembered, in this process only. */
const LARGEST = 1000

/**
 * Notes which round trips each request makes, for the panel under the hood.
 *
 * It also shows what a driver is: `watch` wraps one in a dozen lines.
 */
export class RoundTripLog {
  readonly #current = new AsyncLocalStorage<RequestTrace>()
  /** The last request of each session that was a change, by the session's id. */
  readonly #changes = new Map<string, RequestTrace>()

  readonly middleware: RequestHandler = (request, response, next) => {
    const trace: RequestTrace = { request: `${request.method} ${request.path}`, roundTrips: [] }
    if (request.method === 'POST') {
      // By now the session has its new id, should the request have begun one.
      response.once('finish', () => this.#remember(request.session.toJSON().id, trace))
    }
    this.#current.run(trace, next)
  }

  watch(driver: Driver): Driver {
    return {
      ...driver,
      query: async (statement, options) => {
        const begin = performance.now()
        try {
          return await driver.query(statement, options)
        } finally {
          const operation = statementName(statement.name)
          const milliseconds = performance.now() - begin
          this.#current.getStore()?.roundTrips.push({ operation, milliseconds })
        }
      },
    }
  }

  /** The request before, if it was a change, and the one under way. */
  latest(sessionId: string | null): RequestTrace[] {
    const before = this.#changes.get(sessionId ?? '')
    this.#changes.delete(sessionId ?? '')
    return [before, this.#current.getStore()].filter((trace) => trace !== undefined)
  }

  #remember(sessionId: string | null, trace: RequestTrace): void {
    if (sessionId === null) return
    this.#changes.delete(sessionId)
    this.#changes.set(sessionId, trace)
    const [oldest] = this.#changes.keys()
    if (this.#changes.size > LARGEST && oldest !== undefined) this.#changes.delete(oldest)
  }
}
