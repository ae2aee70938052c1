import type { Stage } from '../environment/stage.ts'
import { Program } from '../measure/program.ts'
import { type ServerWork, watchServers } from '../measure/servers.ts'
import { median } from '../measure/statistics.ts'
import type { ContenderName, StoreRound, StoreTasks } from './client-program.ts'
import { OPERATIONS, type OperationName } from './contender.ts'

/** What one kind of call costs one contender: medians over the rounds. */
export interface StoreFigure {
  readonly operation: OperationName
  /** Calls under way at once. */
  readonly atATime: number
  readonly contender: ContenderName
  /** Microseconds of CPU per call. Null where the server's cannot be read. */
  readonly cpu: {
    readonly client: number
    readonly server: number | null
    readonly total: number | null
  }
  readonly callsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly walBytesPerCall: number
  /** Statements of PostgreSQL or commands of Redis. */
  readonly roundTripsPerCall: number
}

type Client = Program<StoreTasks>

interface Cell {
  readonly operation: OperationName
  readonly atATime: number
  readonly contender: ContenderName
}

const VISITORS = 10_000
const AT_A_TIME = [1, 16, 128] as const

const STORES: readonly ContenderName[] = [
  'pg-sessions',
  'pg-sessions, unshared',
  'connect-pg-simple',
  'connect-redis (redis 5)',
  'connect-redis (redis 6)',
  'express-session MemoryStore',
  'pg-sessions MemoryStore',
]
const SELECTS: readonly ContenderName[] = ['bare select', 'bare select of one row']

const PLANS = {
  quick: { rounds: 5, milliseconds: 80, warmUp: { calls: 4000, milliseconds: 1500 }, lean: true },
  standard: {
    rounds: 7,
    milliseconds: 200,
    warmUp: { calls: 20_000, milliseconds: 6000 },
    lean: false,
  },
  full: {
    rounds: 15,
    milliseconds: 400,
    warmUp: { calls: 20_000, milliseconds: 10_000 },
    lean: false,
  },
} as const

/** Measures every call of every store, in rounds that take turns. */
export async function runStoreLevel(stage: Stage): Promise<StoreFigure[]> {
  const { rounds, milliseconds, warmUp, lean } = PLANS[stage.extent]
  const clients = await openClients(stage, warmUp)
  try {
    const figures: StoreFigure[] = []
    for (const atATime of AT_A_TIME) {
      for (const operation of OPERATIONS) {
        if (lean && !isNeeded(operation, atATime)) continue
        stage.onProgress(`store: ${operation}, ${atATime} at a time`)
        const contenders = [...clients.keys()].filter((name) => takesPart(name, operation))
        const cells = contenders.map((contender) => ({ operation, atATime, contender }))
        figures.push(...(await measure(stage, clients, cells, rounds, milliseconds)))
      }
    }
    return figures
  } finally {
    await Promise.all([...clients.values()].map((client) => client.stop()))
  }
}

/** A quick run leaves out what no target speaks of. */
function isNeeded(operation: OperationName, atATime: number): boolean {
  if (operation === 'first save' || operation === 'destroy') return false
  return atATime !== 1 || operation === 'load'
}

function takesPart(contender: ContenderName, operation: OperationName): boolean {
  return operation === 'load' || !SELECTS.includes(contender)
}

async function openClients(
  stage: Stage,
  warmUp: { readonly calls: number; readonly milliseconds: number },
): Promise<Map<ContenderName, Client>> {
  const { postgres, redis, programs, onProgress } = stage
  await postgres.admin.query('drop schema if exists bench_native, bench_native_single cascade')
  const names = [...STORES, ...SELECTS].filter((name) => redis !== null || !isRedis(name))
  const clients = new Map<ContenderName, Client>()
  for (const name of names) clients.set(name, Program.start(programs.file('store-client')))
  onProgress(`store: filling ${names.length} stores with ${VISITORS} sessions each`)
  const servers = { postgres: postgres.url, redis: redis?.url ?? null }
  const askAll = (ask: (client: Client, name: ContenderName) => Promise<void>): Promise<unknown> =>
    Promise.all([...clients].map(([name, client]) => ask(client, name)))
  await askAll((client, name) => client.ask('open', { name, servers, visitors: VISITORS }))
  onProgress('store: warming up')
  await askAll((client) => client.ask('warmUp', warmUp))
  await postgres.admin.query('vacuum analyze')
  // No checkpoint: after one, the first change of each page writes the whole page into the WAL.
  return clients
}

function isRedis(contender: ContenderName): boolean {
  return contender.startsWith('connect-redis')
}

async function measure(
  stage: Stage,
  clients: ReadonlyMap<ContenderName, Client>,
  cells: readonly Cell[],
  rounds: number,
  milliseconds: number,
): Promise<StoreFigure[]> {
  const results = cells.map((): { round: StoreRound; work: ServerWork }[] => [])
  // Round 0 warms up and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < cells.length; turn++) {
      const index = (turn + round) % cells.length
      const { contender, operation, atATime } = cells[index] as Cell
      const client = clients.get(contender) as Client
      await client.ask('makeReady', { operation })
      const { result, work } = await watchServers(stage.postgres, stage.redis, () =>
        client.ask('round', { operation, atATime, milliseconds }),
      )
      if (round > 0) results[index]?.push({ round: result, work })
    }
  }
  return cells.map((cell, index) => figure(cell, results[index] ?? []))
}

function figure(
  cell: Cell,
  results: readonly { readonly round: StoreRound; readonly work: ServerWork }[],
): StoreFigure {
  const over = (value: (round: StoreRound, work: ServerWork) => number): number =>
    median(results.map(({ round, work }) => value(round, work)))
  const canReadServer = results.every(({ work }) => work.postgresCpu !== null)
  const server = (work: ServerWork): number =>
    isRedis(cell.contender) ? (work.redisCpu ?? 0) : (work.postgresCpu ?? 0)
  return {
    ...cell,
    cpu: {
      client: over((round) => round.clientCpu / round.calls),
      server: canReadServer ? over((round, work) => server(work) / round.calls) : null,
      total: canReadServer
        ? over((round, work) => (round.clientCpu + server(work)) / round.calls)
        : null,
    },
    callsPerSecond: over((round) => round.calls / round.seconds),
    p50: over((round) => round.p50),
    p99: over((round) => round.p99),
    walBytesPerCall: over((round, work) => work.walBytes / round.calls),
    roundTripsPerCall: over((round, work) => (round.statements + work.redisCommands) / round.calls),
  }
}
