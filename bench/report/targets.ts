import type { Page } from '../http-level/application.ts'
import type { ShapeFigure } from '../growth/shapes.ts'
import type { HttpFigure } from '../http-level/run-http-level.ts'
import type { ApplicationName } from '../http-level/server-program.ts'
import type { ContenderName } from '../store-level/client-program.ts'
import type { OperationName } from '../store-level/contender.ts'
import type { CallFigure } from '../store-level/measure-calls.ts'
import type { Sections } from './sections.ts'

/** What the project wants to reach, beside what was measured. Nothing is judged by it. */
export interface Target {
  readonly name: string
  readonly wanted: string
  readonly measured: number
  readonly isMet: boolean
}

/** The targets that the sections at hand speak of. */
export function compareWithTargets(sections: Sections): Target[] {
  return [
    ...storeTargets(sections.store ?? []),
    ...httpTargets(sections.http ?? []),
    ...growthTargets(sections.growth),
    ...upkeepTargets(sections),
  ].filter(({ measured }) => !Number.isNaN(measured))
}

function atMost(name: string, limit: number, measured: number): Target {
  return { name, wanted: `at most ${limit}`, measured, isMet: measured <= limit }
}

function atLeast(name: string, limit: number, measured: number): Target {
  return { name, wanted: `at least ${limit}`, measured, isMet: measured >= limit }
}

function storeTargets(figures: readonly CallFigure[]): Target[] {
  const find = (operation: OperationName, atATime: number, contender: ContenderName) =>
    figures.find(
      (figure) =>
        figure.operation === operation &&
        figure.atATime === atATime &&
        figure.contender === contender,
    )
  const cpuRatio = (operation: OperationName, atATime: number, peer: ContenderName): number =>
    (find(operation, atATime, 'pg-sessions')?.cpu.total ?? Number.NaN) /
    (find(operation, atATime, peer)?.cpu.total ?? Number.NaN)
  const medianRatio =
    (find('load', 1, 'pg-sessions')?.p50 ?? Number.NaN) /
    (find('load', 1, 'bare select')?.p50 ?? Number.NaN)
  const targets: Target[] = []
  for (const atATime of [16, 128]) {
    const compare = (operation: OperationName, peer: ContenderName, limit: number): Target =>
      atMost(
        `store: CPU of a ${operation}, ${atATime} at a time, to ${peer}`,
        limit,
        cpuRatio(operation, atATime, peer),
      )
    targets.push(
      compare('read request', 'connect-pg-simple', 0.1),
      compare('read request', 'connect-redis (redis 6)', 0.4),
      compare('read request', 'connect-redis (redis 5)', 0.4),
      compare('write request', 'connect-pg-simple', 0.2),
      compare('write request', 'connect-redis (redis 6)', 1),
      compare('write request', 'connect-redis (redis 5)', 1),
    )
  }
  const compare16 = (operation: OperationName, limit: number): Target =>
    atMost(
      `store: CPU of a ${operation}, 16 at a time, to connect-pg-simple`,
      limit,
      cpuRatio(operation, 16, 'connect-pg-simple'),
    )
  targets.push(compare16('first save', 0.4), compare16('destroy', 0.6))
  targets.push(
    atMost('store: median time of a load, 1 at a time, to a bare select', 1.15, medianRatio),
  )
  return targets
}

function httpTargets(figures: readonly HttpFigure[]): Target[] {
  const find = (page: Page, application: ApplicationName): number =>
    figures.find((figure) => figure.page === page && figure.application === application)
      ?.requestsPerCpuSecond ?? Number.NaN
  const compare = (page: Page, peer: string, limit: number): Target => {
    const own = find(page, 'Express, pg-sessions')
    const ratio = own / find(page, `Express, ${peer}` as ApplicationName)
    return atLeast(`http: ${page} page, requests per CPU second, to ${peer}`, limit, ratio)
  }
  return [
    compare('read', 'express-session, connect-pg-simple', 4.5),
    compare('read', 'express-session, connect-redis (redis 6)', 1.8),
    compare('read', 'express-session, connect-redis (redis 5)', 1.8),
    compare('read', 'express-session, MemoryStore', 1.35),
    compare('read', 'no session', 0.75),
    compare('untouched', 'no session', 0.97),
    compare('write', 'express-session, connect-pg-simple', 4),
    compare('write', 'express-session, connect-redis (redis 6)', 1.3),
    compare('write', 'express-session, connect-redis (redis 5)', 1.2),
    compare('write', 'express-session, connect-redis (redis 5, durable)', 1.2),
    compare('login', 'express-session, connect-pg-simple', 3),
    compare('login', 'express-session, connect-redis (redis 5)', 1),
  ]
}

function growthTargets(growth: Sections['growth']): Target[] {
  if (growth === undefined) return []
  const { populations, shapes } = growth
  const targets: Target[] = []
  const [smallest] = populations
  for (const figure of populations) {
    const base = populations.find(
      ({ sessions, operation }) =>
        sessions === smallest?.sessions && operation === figure.operation,
    )
    if (base === undefined || base === figure) continue
    const sizes = `${figure.sessions} sessions to ${base.sessions}`
    const ratio = figure.callsPerSecond / base.callsPerSecond
    targets.push(atLeast(`growth: ${figure.operation}s per second, ${sizes}`, 0.8, ratio))
  }
  const save = (entries: number, least: number) =>
    shapes.find(
      (figure) =>
        figure.operation === 'save' &&
        figure.contender === 'pg-sessions' &&
        figure.entries === entries &&
        figure.bytes >= least,
    )
  targets.push(...shapeTargets(shapes))
  const small = save(1, 0)
  const hundred = save(100, 0)
  const huge = save(11, 1_000_000)
  if (small && hundred && huge) {
    targets.push(
      atMost(
        'growth: WAL of changing one of 100 entries, to the only entry',
        1.5,
        hundred.walBytesPerCall / small.walBytesPerCall,
      ),
      atMost(
        'growth: CPU of changing one small entry of 1 MB, to that of a small session',
        1.15,
        (huge.cpu.total ?? Number.NaN) / (small.cpu.total ?? Number.NaN),
      ),
    )
  }
  return targets
}

/** What large sessions should cost, beside the store that keeps each as one value and beside small ones. */
function shapeTargets(shapes: readonly ShapeFigure[]): Target[] {
  const cpu = (shape: string, operation: OperationName, contender: ContenderName): number =>
    shapes.find(
      (figure) =>
        figure.shape === shape && figure.operation === operation && figure.contender === contender,
    )?.cpu.total ?? Number.NaN
  const toPeer = (shape: string, operation: OperationName, limit: number): Target =>
    atMost(
      `growth: CPU of ${operation}, ${shape}, to connect-pg-simple`,
      limit,
      cpu(shape, operation, 'pg-sessions') / cpu(shape, operation, 'connect-pg-simple'),
    )
  const ofOneKey = (shape: string): Target =>
    atMost(
      `growth: CPU of reading one key, ${shape}, to that of a small session`,
      1.5,
      cpu(shape, 'read one key', 'pg-sessions') /
        cpu('1 small entry', 'read one key', 'pg-sessions'),
    )
  return [
    toPeer('100 entries, 10 kB', 'load', 0.85),
    toPeer('11 entries, 100 kB', 'load', 0.7),
    toPeer('11 entries, 1 MB', 'load', 0.75),
    toPeer('2 entries, one of 1 MB', 'write the largest', 0.6),
    ofOneKey('11 entries, 100 kB'),
    ofOneKey('11 entries, 1 MB'),
  ]
}

function upkeepTargets({ purge, touch, memory }: Sections): Target[] {
  const targets: Target[] = []
  if (purge !== undefined) {
    targets.push(
      atMost(
        'purge: p99 of the traffic beside it, to before',
        1.5,
        purge.during.p99 / purge.before.p99,
      ),
      atMost('purge: longest statement, ms', 250, purge.longestStatement),
    )
  }
  const own = touch?.find(({ contender }) => contender === 'pg-sessions')
  if (own !== undefined) {
    targets.push(
      atLeast('touch: share of heap-only updates', 0.95, own.heapOnlyShare),
      atMost('touch: bytes of WAL per load inside the touch interval', 0.1, own.walBytesPerLoad),
    )
  }
  const first = memory?.[0]
  const last = memory?.at(-1)
  if (first && last) {
    targets.push(
      atMost('memory: heap after 10 minutes, to after warm-up', 1.05, last.heap / first.heap),
    )
  }
  return targets
}
