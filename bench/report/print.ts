import { PAGES } from '../http-level/application.ts'
import type { HttpFigure } from '../http-level/run-http-level.ts'
import type { CallFigure } from '../store-level/measure-calls.ts'
import type { PurgeFigure } from '../upkeep/measure-purge.ts'
import type { Result } from './result.ts'
import type { Sections } from './sections.ts'
import { digits, formatTable, times } from './table.ts'

/** The whole result for people. */
export function printResult(result: Result): string {
  const { store, http, growth, purge, touch, memory, waiting } = result.sections
  const parts = [
    printMachine(result),
    store && printStore(store),
    http && printHttp(http),
    growth && printGrowth(growth),
    purge && printPurge(purge),
    touch && printTouch(touch),
    memory && printMemory(memory),
    waiting && printWaiting(waiting),
    printTargets(result),
  ]
  return parts.filter((part) => part !== undefined).join('\n\n')
}

export function printMachine({
  machine,
  postgres,
  redis,
  peers,
  revision,
  extent,
}: Result): string {
  const { cpu, cores, memoryGiB, system, node, loadAtStart, loadAtEnd } = machine
  const settings = Object.entries(postgres.settings).map(([name, value]) => `${name}=${value}`)
  return [
    `${extent} run of ${revision}`,
    `on ${cores} cores of ${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}`,
    `load average ${loadAtStart} at the start, ${loadAtEnd} at the end (${cores} would keep all cores busy)`,
    `PostgreSQL ${postgres.version} (${settings.join(', ')})`,
    redis === null
      ? 'Redis is not installed here: connect-redis is left out'
      : `Redis ${redis.version}, in memory only; connect-redis ${peers['connect-redis']} with the clients redis ${peers.redis} and ${peers['redis-5']}`,
    `beside ${Object.entries(peers)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    ...(postgres.cpuIsKnown
      ? []
      : [
          "The servers' CPU cannot be read here: only the clients' CPU and wall-clock figures are given",
        ]),
  ].join('\n')
}

function printStore(figures: readonly CallFigure[]): string {
  const rows = figures.map((figure) => {
    const own = figures.find(
      ({ operation, atATime, contender }) =>
        operation === figure.operation && atATime === figure.atATime && contender === 'pg-sessions',
    )
    const { client, server, total } = figure.cpu
    return [
      figure.operation,
      String(figure.atATime),
      figure.contender,
      ...[client, server, total].map(digits),
      times(total, own?.cpu.total ?? null),
      ...[figure.callsPerSecond, figure.p50, figure.p99].map(digits),
      ...[figure.walBytesPerCall, figure.roundTripsPerCall].map(digits),
    ]
  })
  const header = ['call', 'at a time', 'store', 'client µs', 'server µs', 'CPU µs', 'to ours']
  const more = ['calls/s', 'p50 ms', 'p99 ms', 'WAL B', 'trips']
  return `Stores: CPU per call\n\n${formatTable([...header, ...more], rows, 3)}`
}

function printHttp(figures: readonly HttpFigure[]): string {
  const rows = PAGES.flatMap((page) =>
    figures
      .filter((figure) => figure.page === page)
      .map((figure) => {
        const [framework] = figure.application.split(',')
        const base = figures.find(
          (other) => other.page === page && other.application === `${framework}, no session`,
        )
        const { application, postgres, redis, total } = figure.cpu
        return [
          page,
          figure.application,
          ...[application, postgres, redis, total].map(digits),
          digits(figure.requestsPerCpuSecond),
          (figure.requestsPerCpuSecondRange ?? []).map(digits).join('–'),
          times(figure.requestsPerCpuSecond, base?.requestsPerCpuSecond ?? null),
          ...[figure.requestsPerSecond, figure.p50, figure.p99, figure.walBytesPerRequest].map(
            digits,
          ),
        ]
      }),
  )
  const header = ['page', 'application', 'app µs', 'PostgreSQL µs', 'Redis µs', 'CPU µs']
  const more = ['req/CPU s', 'range', 'to none', 'req/s', 'p50 ms', 'p99 ms', 'WAL B']
  return `HTTP, 32 connections: CPU per request\n\n${formatTable([...header, ...more], rows, 2)}`
}

function printGrowth({ populations, shapes }: NonNullable<Sections['growth']>): string {
  const costs = ({ cpu, callsPerSecond, p50, walBytesPerCall }: CallFigure): string[] =>
    [cpu.client, cpu.server, cpu.total, callsPerSecond, p50, walBytesPerCall].map(digits)
  const header = ['client µs', 'server µs', 'CPU µs', 'calls/s', 'p50 ms', 'WAL B']
  const many = formatTable(
    ['call', 'sessions', 'B each', ...header],
    populations.map((figure) => [
      figure.operation,
      String(figure.sessions),
      digits(figure.bytesPerSession),
      ...costs(figure),
    ]),
    1,
  )
  const large = formatTable(
    ['call', 'a session of', 'store', ...header],
    shapes.map((figure) => [
      figure.operation === 'load' ? 'read all' : 'change one',
      figure.shape,
      figure.contender,
      ...costs(figure),
    ]),
    3,
  )
  return `Growth: many sessions, 16 at a time\n\n${many}\n\nGrowth: large sessions, 16 at a time\n\n${large}`
}

function printPurge(purge: PurgeFigure): string {
  const { purged, seconds, statements, longestStatement, before, during, after } = purge
  const traffic = formatTable(
    ['traffic', 'requests', 'p50 ms', 'p99 ms'],
    Object.entries({ before, during, after }).map(([name, { requests, p50, p99 }]) => [
      name,
      String(requests),
      digits(p50),
      digits(p99),
    ]),
    1,
  )
  return [
    `Purge of ${purged} expired sessions beside ${purge.requestsPerSecond} requests a second`,
    '',
    `${digits(seconds)} s in ${statements} statements, ${digits(purged / seconds)} sessions/s; longest statement ${digits(longestStatement)} ms; ${digits(purge.walBytesPerSession)} B of WAL per session`,
    '',
    traffic,
  ].join('\n')
}

function printTouch(figures: NonNullable<Sections['touch']>): string {
  const rows = figures.map((figure) => [
    figure.contender,
    String(figure.touches),
    `${(figure.heapOnlyShare * 100).toFixed(1)} %`,
    digits(figure.walBytesPerTouch),
    digits(figure.walBytesPerLoad),
  ])
  const header = ['store', 'touches', 'heap-only', 'WAL B per touch', 'WAL B per load']
  return `Touch\n\n${formatTable(header, rows, 1)}`
}

function printMemory(samples: NonNullable<Sections['memory']>): string {
  const rows = samples.map(({ minute, heap, resident }) => [
    minute.toFixed(1),
    heap.toFixed(1),
    resident.toFixed(0),
  ])
  return `Memory under steady traffic, MiB\n\n${formatTable(['minute', 'heap', 'resident'], rows, 0)}`
}

function printWaiting(figure: NonNullable<Sections['waiting']>): string {
  const { requests, connections, heapBefore, heapDuring, heapAfter, bytesPerRequest } = figure
  return [
    `${requests} requests that wait for a database which does not answer, on ${connections} connections`,
    '',
    `heap ${digits(heapBefore)} MiB before, ${digits(heapDuring)} MiB while they wait, ${digits(heapAfter)} MiB after: ${digits(bytesPerRequest)} B a request`,
  ].join('\n')
}

function printTargets({ targets }: Result): string {
  const rows = targets.map(({ name, wanted, measured, isMet }) => [
    name,
    wanted,
    isMet ? 'met' : 'not met',
    digits(measured),
  ])
  return `Targets\n\n${formatTable(['what', 'wanted', '', 'measured'], rows, 3)}`
}
