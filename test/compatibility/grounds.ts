import { MemoryStore, PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { type WatchedStore, watchStore } from '../support/each-store-watch.ts'
import { elapse, openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

/** An empty place for sessions. */
export interface Ground {
  /** Keeps the sessions, and shows what is asked of it. */
  readonly watched: WatchedStore
  /** A store of another process that keeps its records in the same place. */
  beside(): SessionStore
  elapse(milliseconds: number): Promise<void>
}

/** Gives an empty place, and takes care of what is to be closed when the test is over. */
export interface Grounds {
  lay(): Promise<Ground>
  closing<Closable extends { close(): unknown }>(it: Closable): Closable
}

/** Declares the same tests for every store there is. */
export function eachGround(declare: (grounds: Grounds, storeName: string) => void): void {
  describe('on MemoryStore', () => {
    declare(grounds(memoryGround), 'memory')
  })
  describe('on PostgresStore', () => {
    let harness: PostgresStoreHarness
    beforeAll(async () => {
      harness = await openPostgresStore()
    })
    afterAll(() => harness.dispose())
    declare(
      grounds(async () => {
        await harness.pool.query('delete from sessions.session')
        const beside = (): PostgresStore =>
          new PostgresStore({ driver: fromPg(harness.pool), migrate: 'off' })
        return {
          watched: watchStore(beside()),
          beside,
          elapse: (milliseconds) => elapse(harness.pool, milliseconds),
        }
      }),
      'postgres',
    )
  })
}

async function memoryGround(): Promise<Ground> {
  let ahead = 0
  const store = new MemoryStore({ now: () => Date.now() + ahead })
  return {
    watched: watchStore(store),
    beside: () => store,
    elapse: async (milliseconds) => {
      ahead += milliseconds
    },
  }
}

function grounds(lay: () => Promise<Ground>): Grounds {
  const open: { close(): unknown }[] = []
  afterEach(async () => {
    for (const it of open.splice(0).reverse()) await it.close()
  })
  return {
    lay,
    closing(it) {
      open.push(it)
      return it
    },
  }
}
