import type { CallFigure } from '../store-level/measure-calls.ts'
import type { Result } from './result.ts'
import type { Sections } from './sections.ts'
import { digits } from './table.ts'
import { compareWithTargets } from './targets.ts'

/** What stands between `<!-- figures: name -->` and `<!-- end of figures -->`. */
const BLOCK = /(<!-- figures: ([\w-]+) -->\n)[\s\S]*?(<!-- end of figures -->)/g

/**
 * Puts the figures of results into a page of Markdown, in the place of those that it shows.
 *
 * Where several results have a section, the last one's counts.
 *
 * @throws {Error} The page asks for figures that there are not.
 */
export function fillPage(page: string, results: readonly [Result, ...Result[]]): string {
  const sections: Sections = Object.assign({}, ...results.map((result) => result.sections))
  const blocks: Readonly<Record<string, () => string>> = {
    machine: () => describeRuns(results),
    'store-128': () => storeTable(sections, 128),
    'store-16': () => storeTable(sections, 16),
    'store-1': () => storeTable(sections, 1),
    'store-details': () => storeDetails(sections),
    http: () => httpTable(sections),
    populations: () => populationTable(sections),
    shapes: () => shapeTable(sections),
    purge: () => purgeTable(sections),
    touch: () => touchTable(sections),
    memory: () => memoryTable(sections),
    waiting: () => waitingLine(sections),
    targets: () => targetTable(sections),
  }
  return page.replaceAll(BLOCK, (_block, begin: string, name: string, end: string) => {
    const write = blocks[name]
    if (write === undefined) throw new Error(`There are no figures called "${name}".`)
    return `${begin}\n${write() || '_Not measured._'}\n\n${end}`
  })
}

function describeRuns(results: readonly [Result, ...Result[]]): string {
  const [{ machine, postgres, redis, peers }] = results
  const runs = results.map(({ extent, startedAt, revision, sections, machine: { ...at } }) => {
    const load = `load average ${at.loadAtStart} at the start, ${at.loadAtEnd} at the end`
    return `- ${startedAt.slice(0, 10)}, revision ${revision}, ${extent} run of ${Object.keys(sections).join(', ')}: ${load}`
  })
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  return [
    `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node};`,
    `PostgreSQL ${postgres.version}, ${redis === null ? 'no Redis' : `Redis ${redis.version}`}; ${versions.join(', ')}.`,
    '',
    ...runs,
  ].join('\n')
}

const OPERATIONS = [
  'read request',
  'write request',
  'load',
  'save',
  'touch',
  'first save',
  'destroy',
]

const CONTENDERS: readonly (readonly [name: string, column: string])[] = [
  ['pg-sessions', 'ours'],
  ['pg-sessions, unshared', 'unshared'],
  ['connect-pg-simple', 'connect-pg-simple'],
  ['connect-redis (redis 5)', 'redis 5'],
  ['connect-redis (redis 6)', 'redis 6'],
  ['express-session MemoryStore', 'express MemoryStore'],
  ['pg-sessions MemoryStore', 'our MemoryStore'],
  ['bare select', 'bare select'],
  ['bare select of one row', 'of one row'],
]

function storeTable({ store = [] }: Sections, atATime: number): string {
  const cell = (operation: string, contender: string): string => {
    const figure = findCall(store, operation, atATime, contender)
    return figure === undefined ? '' : digits(figure.cpu.total)
  }
  return markdown(
    ['CPU µs per call', ...CONTENDERS.map(([, column]) => column)],
    OPERATIONS.map((operation) => [
      operation,
      ...CONTENDERS.map(([name]) => cell(operation, name)),
    ]),
  )
}

function storeDetails({ store = [] }: Sections): string {
  const rows = OPERATIONS.flatMap((operation) =>
    CONTENDERS.filter(([name]) => name === 'pg-sessions' || name === 'connect-pg-simple').flatMap(
      ([name, column]) => {
        const figure = findCall(store, operation, 16, name)
        return figure === undefined ? [] : [[`${operation}, ${column}`, ...details(figure)]]
      },
    ),
  )
  return markdown(
    ['', 'client µs', 'server µs', 'statements', 'WAL B', 'calls/s', 'p50 ms', 'p99 ms'],
    rows,
  )
}

function details({ cpu, ...figure }: CallFigure): string[] {
  return [
    digits(cpu.client),
    digits(cpu.server),
    digits(figure.roundTripsPerCall),
    digits(figure.walBytesPerCall),
    digits(figure.callsPerSecond),
    digits(figure.p50),
    digits(figure.p99),
  ]
}

function findCall(
  figures: readonly CallFigure[],
  operation: string,
  atATime: number,
  contender: string,
): CallFigure | undefined {
  return figures.find(
    (figure) =>
      figure.operation === operation &&
      figure.atATime === atATime &&
      figure.contender === contender,
  )
}

function httpTable({ http = [] }: Sections): string {
  const applications = [...new Set(http.map(({ application }) => application))]
  const pages = [...new Set(http.map(({ page }) => page))]
  const cell = (application: string, page: string): string => {
    const figure = http.find((each) => each.application === application && each.page === page)
    if (figure === undefined) return ''
    const { total, application: own, postgres, redis } = figure.cpu
    return `${digits(total)} (${digits(own)} + ${digits((postgres ?? 0) + (redis ?? 0))})`
  }
  return markdown(
    ['CPU µs per request (application + database)', ...pages],
    applications.map((name) => [name, ...pages.map((page) => cell(name, page))]),
  )
}

function populationTable({ growth }: Sections): string {
  return markdown(
    ['16 at a time', 'CPU µs', 'calls/s', 'p50 ms', 'WAL B', 'B per session'],
    (growth?.populations ?? []).map((figure) => [
      `${figure.operation}, ${figure.sessions.toLocaleString('en')} sessions`,
      digits(figure.cpu.total),
      digits(figure.callsPerSecond),
      digits(figure.p50),
      digits(figure.walBytesPerCall),
      digits(figure.bytesPerSession),
    ]),
  )
}

function shapeTable({ growth }: Sections): string {
  return markdown(
    ['16 at a time', 'CPU µs', 'calls/s', 'WAL B'],
    (growth?.shapes ?? []).map(({ operation, shape, contender, ...figure }) => [
      `${operation === 'load' ? 'read all' : 'change one'}, ${shape}, ${contender === 'pg-sessions' ? 'ours' : contender}`,
      digits(figure.cpu.total),
      digits(figure.callsPerSecond),
      digits(figure.walBytesPerCall),
    ]),
  )
}

function purgeTable({ purge }: Sections): string {
  if (purge === undefined) return ''
  const summary = `${purge.purged.toLocaleString('en')} sessions went in ${digits(purge.seconds)} s and ${purge.statements.toLocaleString('en')} statements, the longest of ${digits(purge.longestStatement)} ms, with ${digits(purge.walBytesPerSession)} bytes of WAL a session, beside ${purge.requestsPerSecond} requests a second.`
  const rows = (['before', 'during', 'after'] as const).map((when) => {
    const { requests, p50, p99 } = purge[when]
    return [when, String(requests), digits(p50), digits(p99)]
  })
  return `${summary}\n\n${markdown(['traffic', 'requests', 'p50 ms', 'p99 ms'], rows)}`
}

function touchTable({ touch = [] }: Sections): string {
  return markdown(
    ['touch', 'heap-only', 'WAL B per touch', 'WAL B per load after it'],
    touch.map(({ contender, heapOnlyShare, walBytesPerTouch, walBytesPerLoad }) => [
      contender,
      `${(heapOnlyShare * 100).toFixed(1)} %`,
      digits(walBytesPerTouch),
      digits(walBytesPerLoad),
    ]),
  )
}

function memoryTable({ memory }: Sections): string {
  return markdown(
    ['minute', 'heap MiB', 'resident MiB'],
    (memory ?? []).map(({ minute, heap, resident }) => [
      minute.toFixed(1),
      digits(heap),
      digits(resident),
    ]),
  )
}

function waitingLine({ waiting }: Sections): string {
  if (waiting === undefined) return ''
  const { requests, connections, heapBefore, heapDuring, heapAfter, bytesPerRequest } = waiting
  return `${requests.toLocaleString('en')} requests that wait at once, on ${connections} connections, hold ${digits(bytesPerRequest)} bytes each: the heap grows from ${digits(heapBefore)} to ${digits(heapDuring)} MiB, and is back at ${digits(heapAfter)} MiB when they have been answered.`
}

function targetTable(sections: Sections): string {
  return markdown(
    ['target', 'wanted', 'measured', ''],
    compareWithTargets(sections).map(({ name, wanted, measured, isMet }) => [
      name,
      wanted,
      digits(measured),
      isMet ? 'met' : '**not met**',
    ]),
  )
}

/** Names to the left, numbers to the right. */
function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), `|---|${'--:|'.repeat(header.length - 1)}`, ...rows.map(line)].join('\n')
}
