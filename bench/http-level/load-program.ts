/** Browsers: makes requests, in a process of its own that no figure counts. */
import autocannon from 'autocannon'
import { offer } from '../measure/program.ts'

export interface Load {
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Spread over the connections, each of which goes through its share again and again. */
  readonly cookies: readonly string[]
  readonly connections: number
  /** How much; so many requests, or for so long. */
  readonly until: { readonly amount: number } | { readonly duration: number }
  /** What every answer has to be. */
  readonly body: string
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

async function load(order: Load): Promise<LoadResult> {
  const { url, method, cookies, connections, until, body } = order
  let client = 0
  const start = performance.now()
  const result = await autocannon({
    url,
    connections,
    ...until,
    // It looks so often, in milliseconds, whether it is done.
    sampleInt: 10,
    expectBody: body,
    setupClient(connection) {
      const own = cookies.filter((_, index) => index % connections === client)
      client++
      connection.setRequests(
        own.length === 0 ? [{ method }] : own.map((cookie) => ({ method, headers: { cookie } })),
      )
    },
  })
  const failed = result.errors + result.timeouts + result.non2xx + result.mismatches
  if (failed > 0) throw new Error(`${failed} requests failed, or did not answer ${body}.`)
  return {
    requests: result['2xx'],
    seconds: (performance.now() - start) / 1000,
    p50: result.latency.p50,
    p99: result.latency.p99,
  }
}

const tasks = { load }

export type LoadTasks = typeof tasks

offer(tasks)
