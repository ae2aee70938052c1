import pg from 'pg'
import { fromPg } from 'pg-sessions/pg'
import { expect } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import type { Ground } from './ground.ts'
import { driversGround } from './grounds.ts'
import type { Round } from './program.ts'
import { runRounds, type StartLanes } from './run-program.ts'
import { openTurnstile } from './turnstile.ts'

/** A place where statements wait for each other's row locks in an order that a test decides. */
export interface LockedGround {
  readonly ground: Ground
  /** Runs rounds; in the last one, each client's statements wait behind those of the clients before it. */
  run(rounds: readonly Round[]): Promise<readonly string[]>
}

/**
 * A lock on every session's row lets a client load, and holds what it then changes. Once the first client waits,
 * or has ended, the second begins; when all wait, the lock goes, and each statement finds what the one before has
 * left: it was sent before that was there.
 */
export async function lockedGround(): Promise<LockedGround> {
  const database = await createTestDatabase()
  const pools = [1, 2].map(() => new pg.Pool({ connectionString: database.url, max: 4 }))
  const own = new pg.Pool({ connectionString: database.url, max: 2 })
  const ground = await driversGround({
    drivers: pools.map((pool) => fromPg(pool)),
    query: (sql, values) => own.query(sql, values),
    rest: async () => null,
    close: async () => {
      await Promise.all([own, ...pools].map((pool) => pool.end()))
      await database.drop()
    },
  })

  async function waiting(): Promise<number> {
    const { rows } = await own.query(
      `select count(*)::int as waiting from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return Number(rows[0]?.waiting)
  }

  const startQueued: StartLanes = async (lanes) => {
    const holder = await own.connect()
    const running: Promise<unknown>[] = []
    let ended = 0
    try {
      await holder.query('begin')
      await holder.query('select from sessions.session for update')
      for (const start of lanes) {
        running.push(
          start().finally(() => {
            ended += 1
          }),
        )
        const settled = async () => (await waiting()) + ended
        await expect.poll(settled, { interval: 2, timeout: 20_000 }).toBe(running.length)
      }
      await holder.query('commit')
    } finally {
      holder.release()
    }
    await Promise.all(running)
  }

  return {
    ground,
    run: (rounds) => {
      let round = 0
      const startLanes: StartLanes = (lanes) => {
        round += 1
        return round < rounds.length
          ? Promise.all(lanes.map((start) => start()))
          : startQueued(lanes)
      }
      const weather = { turnstile: openTurnstile(), fate: () => 'answered' as const }
      return runRounds(ground, rounds, weather, { shares: false, startLanes })
    },
  }
}
