/** A worker that purges, or visitors that keep coming, in a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { createSessions, PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { SAMPLE, type Visitor, visitor, visitorOrder } from '../data/visitors.ts'
import { offer } from '../measure/program.ts'
import { quantile } from '../measure/statistics.ts'
import { nativeOperations } from '../store-level/contenders/native.ts'

interface Place {
  readonly postgres: string
  readonly schema: string
}

export interface PurgeResult {
  readonly purged: number
  readonly seconds: number
  readonly statements: number
  /** Milliseconds. */
  readonly longestStatement: number
}

export interface TrafficResult {
  readonly requests: number
  /** Milliseconds from the moment a request was due to its answer. */
  readonly p50: number
  readonly p99: number
}

async function purge({ postgres, schema }: Place): Promise<PurgeResult> {
  const pool = new Pool({ connectionString: postgres })
  const times: number[] = []
  const store = new PostgresStore({ driver: timed(fromPg(pool), times), schema, deadline: '60s' })
  const sessions = createSessions({ store, log: false })
  await sessions.ready()
  times.length = 0
  const start = performance.now()
  const purged = await sessions.purge()
  const seconds = (performance.now() - start) / 1000
  await sessions.close()
  await pool.end()
  return { purged, seconds, statements: times.length, longestStatement: Math.max(0, ...times) }
}

function timed(driver: Driver, times: number[]): Driver {
  return {
    ...driver,
    async query(statement, options) {
      const start = performance.now()
      try {
        return await driver.query(statement, options)
      } finally {
        times.push(performance.now() - start)
      }
    },
  }
}

let latencies: number[] = []
let traffic: { stop: boolean } | null = null

/** Requests come when they are due, whether or not the ones before have been answered. */
async function beginTraffic(
  order: Place & { readonly visitors: number; readonly perSecond: number },
): Promise<void> {
  const pool = new Pool({ connectionString: order.postgres })
  const store = new PostgresStore({ driver: fromPg(pool), schema: order.schema })
  await store.ready()
  const visitors = Array.from({ length: order.visitors }, (_, index) => visitor(index))
  void keepComing(nativeOperations(store, SAMPLE), visitors, order.perSecond)
}

/** One request in five changes something. */
const READS_PER_WRITE = 4

async function keepComing(
  operations: ReturnType<typeof nativeOperations>,
  visitors: readonly Visitor[],
  perSecond: number,
): Promise<void> {
  const run = { stop: false }
  traffic = run
  const next = visitorOrder(visitors.length, 1)
  const start = performance.now()
  for (let count = 0; !run.stop; count++) {
    const due = start + (count * 1000) / perSecond
    if (due > performance.now()) await sleep(Math.max(1, due - performance.now()))
    const kind = count % (READS_PER_WRITE + 1) === 0 ? 'write request' : 'read request'
    void operations[kind](visitors[next()] as Visitor).then(() => {
      latencies.push(performance.now() - due)
    })
  }
}

const tasks = {
  purge,
  beginTraffic,

  /** How the requests since the last call went. */
  async lookAtTraffic(): Promise<TrafficResult> {
    const sorted = Float64Array.from(latencies).sort()
    latencies = []
    return { requests: sorted.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
  },

  async endTraffic(): Promise<void> {
    if (traffic !== null) traffic.stop = true
  },
}

export type UpkeepTasks = typeof tasks

offer(tasks)
