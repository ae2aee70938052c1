/** Requests that wait for a database that does not answer, in a process of its own. */
import { Pool } from 'pg'
import { createSessions, PostgresStore, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { SAMPLE, tokenOf, visitor } from '../data/visitors.ts'
import { offer } from '../measure/program.ts'
import { forEach } from '../store-level/contender.ts'
import { nativeOperations } from '../store-level/contenders/native.ts'

interface Order {
  readonly postgres: string
  readonly schema: string
  readonly visitors: number
}

let cookies: readonly string[] = []
let sessions: Sessions<{ name: string }> | undefined
let pool: Pool | undefined
let waiting: Promise<unknown>[] = []

/** MiB in use after everything unreachable is gone. */
async function heap(): Promise<number> {
  // What has been answered in this turn of the event loop is let go of in the next.
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc?.()
  }
  return process.memoryUsage().heapUsed / 2 ** 20
}

const tasks = {
  heap,

  async start({ postgres, schema, visitors }: Order): Promise<void> {
    pool = new Pool({ connectionString: postgres })
    const store = new PostgresStore({ driver: fromPg(pool), schema, deadline: '5m' })
    await store.ready()
    const all = Array.from({ length: visitors }, (_, index) => visitor(index))
    await forEach(all, nativeOperations(store, SAMPLE)['first save'])
    cookies = all.map((who) => `__Host-id=${tokenOf(who)}`)
    sessions = createSessions<{ name: string }>({ store, log: false })
    await Promise.all(cookies.slice(0, 1000).map((cookie) => sessions?.open(cookie).session.load()))
  },

  /** Lets that many requests read their sessions at once. They go on waiting. */
  async begin({ requests }: { readonly requests: number }): Promise<void> {
    waiting = Array.from({ length: requests }, async (_, index) => {
      const exchange = sessions?.open(cookies[index % cookies.length])
      const name = await exchange?.session.get('name')
      if (name !== SAMPLE.name) throw new Error('read: not what was stored')
      await exchange?.commit()
    })
  },

  /** How many connections the requests take. */
  async connections(): Promise<number> {
    return pool?.totalCount ?? 0
  },

  /** Waits until all requests have been answered. */
  async end(): Promise<void> {
    await Promise.all(waiting)
    waiting = []
  },
}

export type WaitingTasks = typeof tasks

offer(tasks)
