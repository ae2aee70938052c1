import { setTimeout as sleep } from 'node:timers/promises'
import { fillNative } from '../data/fill-native.ts'
import { SAMPLE } from '../data/visitors.ts'
import type { Stage } from '../environment/stage.ts'
import { Program } from '../measure/program.ts'
import { watchServers } from '../measure/servers.ts'
import { nativeSchema } from '../store-level/contenders/native.ts'
import type { PurgeResult, TrafficResult, UpkeepTasks } from './upkeep-program.ts'

/** A purge of very many sessions beside live traffic. */
export interface PurgeFigure extends PurgeResult {
  readonly requestsPerSecond: number
  readonly walBytesPerSession: number
  readonly before: TrafficResult
  readonly during: TrafficResult
  readonly after: TrafficResult
}

const DATASET = 'purge'
const LIVE = 20_000

const PLANS = {
  quick: { expired: 50_000, perSecond: 300, seconds: 4 },
  standard: { expired: 1_000_000, perSecond: 300, seconds: 15 },
  full: { expired: 1_000_000, perSecond: 300, seconds: 60 },
} as const

/** Lets a worker of its own purge, with its defaults, while visitors keep coming at a steady pace. */
export async function measurePurge(stage: Stage): Promise<PurgeFigure> {
  const { postgres, programs, extent, onProgress } = stage
  const { expired, perSecond, seconds } = PLANS[extent]
  const schema = nativeSchema(DATASET)
  const place = { postgres: postgres.url, schema }
  await postgres.admin.query(`drop schema if exists ${schema} cascade`)
  const visitors: Program<UpkeepTasks> = Program.start(programs.file('upkeep'))
  const worker: Program<UpkeepTasks> = Program.start(programs.file('upkeep'))
  try {
    // Makes the tables, and finds nothing to purge.
    await worker.ask('purge', place)
    onProgress(`purge: making ${LIVE} live and ${expired} expired sessions`)
    const common = { dataset: DATASET, data: SAMPLE }
    const ignore = (): void => {}
    await fillNative(postgres.admin, { ...common, from: 0, to: LIVE, expired: null }, ignore)
    const dead = { ...common, from: LIVE, to: LIVE + expired, expired: '1 hour' }
    await fillNative(postgres.admin, dead, ignore)

    onProgress('purge: traffic before, during and after')
    await visitors.ask('beginTraffic', { ...place, visitors: LIVE, perSecond })
    const look = (): Promise<TrafficResult> => visitors.ask('lookAtTraffic', undefined as never)
    await sleep(seconds * 500)
    await look()
    await sleep(seconds * 1000)
    const before = await look()
    const { result, work } = await watchServers(postgres, stage.redis, () =>
      worker.ask('purge', place),
    )
    const during = await look()
    await sleep(seconds * 1000)
    const after = await look()
    await visitors.ask('endTraffic', undefined as never)
    const walBytesPerSession = work.walBytes / result.purged
    return { ...result, requestsPerSecond: perSecond, walBytesPerSession, before, during, after }
  } finally {
    await Promise.all([visitors.stop(), worker.stop()])
    await postgres.admin.query(`drop schema if exists ${schema} cascade`)
  }
}
