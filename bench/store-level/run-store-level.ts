import { SAMPLE } from '../data/visitors.ts'
import { profileFlags, type Stage } from '../environment/stage.ts'
import { Program } from '../measure/program.ts'
import type { ContenderName } from './client-program.ts'
import { OPERATIONS, type OperationName } from './contender.ts'
import { nativeSchema } from './contenders/native.ts'
import { type CallFigure, measureCalls, type StoreClient } from './measure-calls.ts'

const DATASET = { name: 'store', data: SAMPLE }
const AT_A_TIME = [1, 16, 128] as const

const STORES: readonly ContenderName[] = [
  'pg-sessions',
  'pg-sessions, unshared',
  'connect-pg-simple',
  'connect-redis (redis 5)',
  'connect-redis (redis 5, durable)',
  'connect-redis (redis 6)',
  'express-session MemoryStore',
  'pg-sessions MemoryStore',
]
const SELECTS: readonly ContenderName[] = ['bare select', 'bare select of one row']

const PLANS = {
  quick: {
    ...{ rounds: 5, milliseconds: 60, visitors: 2000 },
    warmUp: { calls: 4000, milliseconds: 800 },
  },
  standard: {
    ...{ rounds: 7, milliseconds: 300, visitors: 10_000 },
    warmUp: { calls: 30_000, milliseconds: 6000 },
  },
  full: {
    ...{ rounds: 15, milliseconds: 400, visitors: 10_000 },
    warmUp: { calls: 20_000, milliseconds: 10_000 },
  },
} as const

/** Measures every call of every store. */
export async function runStoreLevel(stage: Stage): Promise<CallFigure[]> {
  const plan = PLANS[stage.extent]
  const clients = await openClients(stage, plan)
  try {
    const figures: CallFigure[] = []
    for (const atATime of AT_A_TIME) {
      for (const operation of OPERATIONS) {
        if (stage.extent === 'quick' && !isNeeded(operation, atATime)) continue
        stage.onProgress(`store: ${operation}, ${atATime} at a time`)
        const kinds = [...clients]
          .filter(([contender]) => takesPart(contender, operation))
          .map(([contender, client]) => ({
            ...{ client, contender, dataset: DATASET.name, operation, atATime },
          }))
        figures.push(...(await measureCalls(stage, kinds, plan)))
      }
    }
    return figures
  } finally {
    await Promise.all([...clients.values()].map((client) => client.stop()))
  }
}

/** A quick run leaves out what no target speaks of. */
function isNeeded(operation: OperationName, atATime: number): boolean {
  return operation === 'load' || (atATime > 1 && operation.endsWith('request'))
}

function takesPart(contender: ContenderName, operation: OperationName): boolean {
  return operation === 'load' || !SELECTS.includes(contender)
}

async function openClients(
  stage: Stage,
  { visitors, warmUp }: (typeof PLANS)[keyof typeof PLANS],
): Promise<Map<ContenderName, StoreClient>> {
  const { postgres, redis, programs, extent, onProgress } = stage
  const { name: dataset } = DATASET
  await postgres.admin.query(
    `drop schema if exists ${nativeSchema(dataset)}, ${nativeSchema(`${dataset}_unshared`)} cascade`,
  )
  const names = [...STORES, ...SELECTS].filter(
    (name) => redis !== null || !name.startsWith('connect-redis'),
  )
  const clients = new Map<ContenderName, StoreClient>()
  for (const name of names) {
    clients.set(name, Program.start(programs.file('store-client'), profileFlags(stage, name)))
  }
  const each = (work: (client: StoreClient, name: ContenderName) => Promise<void>) =>
    Promise.all([...clients].map(([name, client]) => work(client, name)))

  onProgress(`store: filling ${names.length} stores with ${visitors} sessions each`)
  const servers = {
    postgres: postgres.url,
    redis: redis?.url ?? null,
    durableRedis: redis?.durableUrl ?? null,
  }
  await each((client, contender) =>
    client.ask('open', {
      ...{ contender, servers, dataset: DATASET },
      ...{ visitors, population: visitors, fill: true },
    }),
  )
  onProgress('store: warming up')
  const operations = OPERATIONS.filter((name) => extent !== 'quick' || isNeeded(name, 16))
  // One after another: together they would take each other's time, and few calls would be compiled.
  for (const client of clients.values())
    await client.ask('warmUp', { dataset, operations, ...warmUp })
  // No checkpoint after this: the first change of a page after one writes the whole page to the WAL.
  await postgres.admin.query('vacuum analyze')
  return clients
}
