import { fillNative } from '../data/fill-native.ts'
import { SAMPLE } from '../data/visitors.ts'
import type { Extent, Stage } from '../environment/stage.ts'
import { Program } from '../measure/program.ts'
import { nativeSchema } from '../store-level/contenders/native.ts'
import { type CallFigure, measureCalls, type StoreClient } from '../store-level/measure-calls.ts'

/** What calls cost in a store of so many sessions. */
export interface PopulationFigure extends CallFigure {
  readonly sessions: number
  /** Tables and indexes together. */
  readonly bytesPerSession: number
}

const POPULATIONS: Readonly<Record<Extent, readonly number[]>> = {
  quick: [10_000, 100_000],
  standard: [10_000, 1_000_000],
  full: [10_000, 1_000_000, 10_000_000],
}

/** Who comes while it is measured, from all over the population. */
const VISITORS = 10_000

const PLANS = {
  quick: { rounds: 3, milliseconds: 100 },
  standard: { rounds: 7, milliseconds: 200 },
  full: { rounds: 15, milliseconds: 400 },
} as const

/** Measures the same calls in small and large stores, in rounds that take turns. */
export async function measurePopulations(stage: Stage): Promise<PopulationFigure[]> {
  const client: StoreClient = Program.start(stage.programs.file('store-client'))
  try {
    const sizes = new Map<number, number>()
    for (const sessions of POPULATIONS[stage.extent]) {
      sizes.set(sessions, await populate(stage, client, sessions))
    }
    await stage.postgres.admin.query('checkpoint')
    for (const sessions of sizes.keys()) await client.ask('visitAll', datasetOf(sessions))
    const figures: PopulationFigure[] = []
    for (const operation of ['read request', 'write request'] as const) {
      stage.onProgress(`growth: ${operation} among ${[...sizes.keys()].join(', ')} sessions`)
      const populations = [...sizes]
      const kinds = populations.map(([sessions]) => ({
        ...{ client, contender: 'pg-sessions' as const, operation, atATime: 16 },
        dataset: datasetOf(sessions),
      }))
      const measured = await measureCalls(stage, kinds, PLANS[stage.extent])
      for (const [index, [sessions, bytes]] of populations.entries()) {
        const bytesPerSession = bytes / sessions
        figures.push({ sessions, bytesPerSession, ...(measured[index] as CallFigure) })
      }
    }
    return figures
  } finally {
    await client.stop()
    await dropAll(stage)
  }
}

/** Makes a store of so many sessions, and tells how many bytes it takes. */
async function populate(stage: Stage, client: StoreClient, sessions: number): Promise<number> {
  const { postgres, redis, onProgress } = stage
  const dataset = datasetOf(sessions)
  await postgres.admin.query(`drop schema if exists ${nativeSchema(dataset)} cascade`)
  await client.ask('open', {
    contender: 'pg-sessions',
    servers: {
      postgres: postgres.url,
      redis: redis?.url ?? null,
      durableRedis: redis?.durableUrl ?? null,
    },
    dataset: { name: dataset, data: SAMPLE },
    ...{ visitors: VISITORS, population: sessions, fill: false },
  })
  const fill = { dataset, from: 0, to: sessions, data: SAMPLE, expired: null }
  await fillNative(postgres.admin, fill, (done) => {
    if (done % 1_000_000 === 0) onProgress(`growth: ${done} of ${sessions} sessions`)
  })
  const operations = ['read request', 'write request'] as const
  await client.ask('warmUp', { dataset, operations, calls: 20_000, milliseconds: 3000 })
  const { rows } = await postgres.admin.query<{ bytes: string }>(
    `select (pg_total_relation_size($1 || '.session')
      + pg_total_relation_size($1 || '.session_data'))::text as bytes`,
    [nativeSchema(dataset)],
  )
  return Number(rows[0]?.bytes)
}

async function dropAll({ postgres, extent }: Stage): Promise<void> {
  for (const sessions of POPULATIONS[extent]) {
    await postgres.admin.query(`drop schema if exists ${nativeSchema(datasetOf(sessions))} cascade`)
  }
}

function datasetOf(sessions: number): string {
  return `population_${sessions}`
}
