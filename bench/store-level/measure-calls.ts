import type { Stage } from '../environment/stage.ts'
import type { Program } from '../measure/program.ts'
import { type ServerWork, watchServers } from '../measure/servers.ts'
import { median } from '../measure/statistics.ts'
import type { ContenderName, StoreRound, StoreTasks } from './client-program.ts'
import type { OperationName } from './contender.ts'

export type StoreClient = Program<StoreTasks>

/** One kind of call to one store. */
export interface Calls {
  readonly client: StoreClient
  readonly contender: ContenderName
  readonly dataset: string
  readonly operation: OperationName
  /** Calls under way at once. */
  readonly atATime: number
}

/** What one kind of call costs: medians over the rounds. */
export interface CallFigure {
  readonly operation: OperationName
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

interface Result {
  readonly round: StoreRound
  readonly work: ServerWork
}

/** Measures several kinds of calls in rounds that take turns, so that drift meets all alike. */
export async function measureCalls(
  stage: Stage,
  kinds: readonly Calls[],
  { rounds, milliseconds }: { readonly rounds: number; readonly milliseconds: number },
): Promise<CallFigure[]> {
  const results = kinds.map((): Result[] => [])
  // Round 0 warms up and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < kinds.length; turn++) {
      const index = (turn + round) % kinds.length
      const { client, dataset, operation, atATime } = kinds[index] as Calls
      await client.ask('makeReady', { dataset, operation })
      const { result, work } = await watchServers(stage.postgres, stage.redis, () =>
        client.ask('round', { dataset, operation, atATime, milliseconds }),
      )
      if (round > 0) results[index]?.push({ round: result, work })
    }
  }
  return kinds.map((calls, index) => figure(calls, results[index] ?? []))
}

function figure({ operation, atATime, contender }: Calls, results: readonly Result[]): CallFigure {
  const over = (value: (result: Result) => number): number => median(results.map(value))
  const serverCpu = ({ work }: Result): number | null =>
    contender.startsWith('connect-redis') ? work.redisCpu : work.postgresCpu
  const knowsServer = results.every((result) => serverCpu(result) !== null)
  const server = (result: Result): number => serverCpu(result) ?? 0
  return {
    operation,
    atATime,
    contender,
    cpu: {
      client: over(({ round }) => round.clientCpu / round.calls),
      server: knowsServer ? over((result) => server(result) / result.round.calls) : null,
      total: knowsServer
        ? over((result) => (result.round.clientCpu + server(result)) / result.round.calls)
        : null,
    },
    callsPerSecond: over(({ round }) => round.calls / round.seconds),
    p50: over(({ round }) => round.p50),
    p99: over(({ round }) => round.p99),
    walBytesPerCall: over(({ round, work }) => work.walBytes / round.calls),
    roundTripsPerCall: over(
      ({ round, work }) => (round.statements + work.redisCommands) / round.calls,
    ),
  }
}
