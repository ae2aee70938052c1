import fc from 'fast-check'
import pg from 'pg'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OwnServer, startOwnServer } from '../support/own-server.ts'
import { proof } from '../support/proof.ts'
import { type Ground, untilAtRest } from './ground.ts'
import { driversGround } from './grounds.ts'
import { type Lane, programs, type Round } from './program.ts'
import { runRounds, type StartLanes } from './run-program.ts'
import { STRIKE_DEADLINE, type Strike, strikes } from './strikes.ts'
import { openTurnstile } from './turnstile.ts'

/*
 * Something goes wrong with the server, the network or the process while random requests are under way. Whatever
 * clients were answered before, meanwhile and afterwards, the model must be able to answer.
 */

const ROUNDS = 5

let server: OwnServer
let proxy: FaultProxy
let ground: Ground

afterAll(async () => {
  await proxy.close()
  await server[Symbol.asyncDispose]()
})
beforeAll(async () => {
  server = await startOwnServer()
  proxy = await startFaultProxy(server.url)
})

/** The server's superuser, on a connection for each query, since the server comes and goes. */
async function query(sql: string, values?: unknown[]): Promise<unknown> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  return await client.query(sql, values).finally(() => client.end())
}

const drivers = {
  async pg(): Promise<Ground> {
    const pools = [1, 2].map(() => new pg.Pool({ connectionString: proxy.url, max: 4 }))
    return driversGround({
      drivers: pools.map((pool) => fromPg(pool)),
      query,
      rest: () => untilAtRest(pools),
      close: async () => {
        await Promise.all(pools.map((pool) => pool.end()))
      },
    })
  },
  async 'postgres.js'(): Promise<Ground> {
    const options = { max: 4, onnotice: () => {}, backoff: () => 0.01 }
    const clients = [1, 2].map(() => postgres(proxy.url, options))
    return driversGround({
      drivers: clients.map((client) => fromPostgresJs(client)),
      query,
      rest: async () => null,
      close: async () => {
        await Promise.all(clients.map((client) => client.end({ timeout: 1 })))
      },
    })
  },
}

/** Rounds without pauses between, in which each lane has more to do. */
function busyRounds(seed: number): readonly Round[] {
  const sampled = fc.sample(programs, { seed, numRuns: ROUNDS })
  return sampled.map(({ rounds }) => {
    const lanes = rounds.flatMap((round) => round.lanes)
    return { time: 'no', lanes: lanes.slice(0, 8).map((lane) => longer(lane)) }
  })
}

function longer(lane: Lane): Lane {
  if ('errands' in lane) return lane
  return { ...lane, requests: [...lane.requests, ...lane.requests, ...lane.requests] }
}

describe.each(Object.entries(drivers))('on %s', (_, open) => {
  beforeAll(async () => {
    ground = await open()
  })
  afterAll(() => ground.close())

  test.each(Object.entries(strikes))('%s', async (_, strike: Strike) => {
    const startLanes: StartLanes = async (lanes) => {
      const running = Promise.all(lanes.map((start) => start()))
      await strike({ server, proxy })
      await running
    }
    const [first, ...rounds] = busyRounds(proof.seed)
    for (const round of rounds) {
      const weather = { turnstile: openTurnstile(), fate: () => 'answered' as const }
      const options = { shares: true, deadline: STRIKE_DEADLINE, startLanes }
      expect(await runRounds(ground, [first as Round, round], weather, options)).toEqual([])
    }
  })
})
