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
  'connect-redis',
  'express-session MemoryStore',
  'pg-sessions MemoryStore',
]
const SELECTS: readonly ContenderName[] = ['bare select', 'bare select of one row']

const PLANS = {
  quick: { rounds: 4, milliseconds: 90, lean: true },
  standard: { rounds: 9, milliseconds: 250, lean: false },
  full: { rounds: 15, milliseconds: 400, lean: false },
} as const

/** Measures every call of every store, in rounds that take turns. */
export async function runStoreLevel(stage: Stage): Promise<StoreFigure[]> {
  const { rounds, milliseconds, lean } = PLANS[stage.extent]
  const clients = await openClients(stage)
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

async function openClients(stage: Stage): Promise<Map<ContenderName, Client>> {
  const { postgres, redis, programs, onProgress } = stage
  await postgres.admin.query('drop schema if exists bench_native, bench_native_single cascade')
  const clients = new Map<ContenderName, Client>()
  for (const name of [...STORES, ...SELECTS]) {
    if (name === 'connect-redis' && redis === null) continue
    onProgress(`store: filling ${name}`)
    const client: Client = Program.start(programs.file('store-client'))
    clients.set(name, client)
    const servers = { postgres: postgres.url, redis: redis?.url ?? null }
    await client.ask('open', { name, servers, visitors: VISITORS })
  }
  await postgres.admin.query('vacuum analyze')
  await postgres.admin.query('checkpoint')
  return clients
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
    cell.contender === 'connect-redis' ? (work.redisCpu ?? 0) : (work.postgresCpu ?? 0)
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
