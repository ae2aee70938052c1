import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '../http-level/application.ts'
import type { HttpFigure } from '../http-level/run-http-level.ts'
import type { OperationName } from '../store-level/contender.ts'
import type { CallFigure } from '../store-level/measure-calls.ts'
import { type Bars, drawBars } from './bar-chart.ts'
import type { Result } from './result.ts'

/** Draws what was measured, one file for each question. */
export function writeCharts({ sections }: Result, folder: string): void {
  const { store = [], http = [], growth, purge } = sections
  const charts: Readonly<Record<string, Bars>> = {
    'store-read-request': storeBars(store, 'read request'),
    'store-write-request': storeBars(store, 'write request'),
    'http-read-page': httpBars(http, 'read'),
    'http-write-page': httpBars(http, 'write'),
    'growth-sessions': {
      title: 'Requests per second in small and large stores',
      unit: 'calls per second, 16 at a time',
      parts: ['calls'],
      bars: (growth?.populations ?? []).map(({ operation, sessions, callsPerSecond }) => ({
        label: `${operation}, ${sessions.toLocaleString('en')} sessions`,
        values: [callsPerSecond],
        isOwn: true,
      })),
    },
    'growth-change': {
      title: 'Changing one small entry of a session',
      unit: 'bytes of WAL',
      parts: ['bytes'],
      bars: (growth?.shapes ?? [])
        .filter(({ operation, contender }) => operation === 'save' && !isRedis(contender))
        .map(({ shape, contender, walBytesPerCall }) => ({
          label: `${shape}: ${contender}`,
          values: [walBytesPerCall],
          isOwn: contender === 'pg-sessions',
        })),
    },
    purge: {
      title: `Traffic beside a purge of ${purge?.purged.toLocaleString('en')} sessions`,
      unit: 'p99 in milliseconds',
      parts: ['p99'],
      bars: (['before', 'during', 'after'] as const).flatMap((when) =>
        purge === undefined ? [] : [{ label: when, values: [purge[when].p99], isOwn: true }],
      ),
    },
  }
  for (const [name, bars] of Object.entries(charts)) {
    if (bars.bars.length > 0) writeFileSync(join(folder, `${name}.svg`), drawBars(bars))
  }
}

function storeBars(figures: readonly CallFigure[], operation: OperationName): Bars {
  const chosen = figures.filter(
    (figure) => figure.operation === operation && figure.cpu.total !== null,
  )
  return {
    title: `${operation[0]?.toUpperCase()}${operation.slice(1)} at the store`,
    unit: 'microseconds of CPU per call: client (dark) and server (light)',
    parts: ['client', 'server'],
    bars: chosen.map(({ atATime, contender, cpu }) => ({
      label: `${atATime} at a time: ${contender}`,
      values: [cpu.client, cpu.server ?? 0],
      isOwn: contender === 'pg-sessions',
    })),
  }
}

function httpBars(figures: readonly HttpFigure[], page: Page): Bars {
  return {
    title: `A page that ${page}s, 32 connections`,
    unit: 'microseconds of CPU per request: application (dark) and database (light)',
    parts: ['application', 'database'],
    bars: figures
      .filter((figure) => figure.page === page && figure.cpu.total !== null)
      .map(({ application, cpu }) => ({
        label: application,
        values: [cpu.application, (cpu.postgres ?? 0) + (cpu.redis ?? 0)],
        isOwn: application.endsWith(', pg-sessions'),
      })),
  }
}

function isRedis(contender: string): boolean {
  return contender.startsWith('connect-redis')
}
