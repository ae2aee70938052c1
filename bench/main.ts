/** Measures what sessions cost, and reports it. `npm run bench -- --help` */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandLineError, help, type Options, readCommandLine, SECTIONS } from './command-line.ts'
import { currentLoad, describeMachine, peerVersions } from './environment/machine.ts'
import { openPostgres } from './environment/postgres.ts'
import { buildPrograms } from './environment/programs.ts'
import { openRedis } from './environment/redis.ts'
import type { Stage } from './environment/stage.ts'
import { measurePopulations } from './growth/population.ts'
import { measureShapes } from './growth/shapes.ts'
import { runHttpLevel } from './http-level/run-http-level.ts'
import { writeCharts } from './report/charts.ts'
import { printResult } from './report/print.ts'
import { type Result, rounded } from './report/result.ts'
import type { Sections } from './report/sections.ts'
import { compareWithTargets } from './report/targets.ts'
import { runStoreLevel } from './store-level/run-store-level.ts'
import { measureMemory } from './upkeep/measure-memory.ts'
import { measurePurge } from './upkeep/measure-purge.ts'
import { measureTouch } from './upkeep/measure-touch.ts'
import { measureWaiting } from './upkeep/measure-waiting.ts'
import { writePage } from './write-page.ts'

const RESULTS = join(import.meta.dirname, 'results')

async function main(): Promise<void> {
  const options = readCommandLine(process.argv.slice(2))
  if (options === 'help') return console.log(help)
  if (options === 'page') return writePage(RESULTS)
  mkdirSync(RESULTS, { recursive: true })
  const result = await measure(options, (soFar) => keep(options, soFar))
  console.log(options.json ? JSON.stringify(result) : printResult(result))
}

/** Also while a long run goes on, so that one that is cut short is not lost. */
function keep({ extent, sections }: Options, result: Result): void {
  const isWhole = sections.length === SECTIONS.length
  const name = isWhole ? extent : [extent, 'only', ...sections].join('-')
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`)
  writeFileSync(join(RESULTS, `${name}.txt`), `${printResult(result)}\n`)
  if (extent !== 'quick') writeCharts(result, RESULTS)
}

async function measure(
  { extent, sections, profiles }: Options,
  onResult: (soFar: Result) => void,
): Promise<Result> {
  const startedAt = new Date()
  const start = performance.now()
  const onProgress = (message: string): void => {
    const seconds = Math.round((performance.now() - start) / 1000)
    console.error(`${String(seconds).padStart(5)} s  ${message}`)
  }
  const loadAtStart = currentLoad()
  const programs = await buildPrograms()
  const postgres = await openPostgres(process.env.DATABASE_URL, onProgress)
  const redis = await openRedis()
  if (redis === null) onProgress('redis-server is not installed: connect-redis is left out')
  try {
    const stage: Stage = { postgres, redis, programs, extent, profiles, onProgress }
    const measured: Sections = {}
    const startRevision = revision()
    const resultSoFar = (): Result =>
      rounded({
        format: 1,
        extent,
        startedAt: startedAt.toISOString(),
        seconds: Math.round((performance.now() - start) / 1000),
        revision: startRevision,
        machine: describeMachine(loadAtStart),
        postgres: {
          version: postgres.version,
          settings: postgres.settings,
          cpuIsKnown: postgres.pid !== null,
        },
        redis: redis && { version: redis.version },
        peers: peerVersions(),
        sections: measured,
        targets: compareWithTargets(measured),
      })
    for (const section of sections) {
      await MEASURES[section](stage, measured)
      onResult(resultSoFar())
    }
    return resultSoFar()
  } finally {
    await redis?.stop()
    await postgres.stop()
    await programs.remove()
  }
}

const MEASURES: Readonly<
  Record<Options['sections'][number], (stage: Stage, measured: Sections) => Promise<void>>
> = {
  async store(stage, measured) {
    measured.store = await runStoreLevel(stage)
  },
  async http(stage, measured) {
    measured.http = await runHttpLevel(stage)
  },
  async growth(stage, measured) {
    const shapes = await measureShapes(stage)
    measured.growth = { populations: await measurePopulations(stage), shapes }
  },
  async purge(stage, measured) {
    measured.purge = await measurePurge(stage)
  },
  async touch(stage, measured) {
    measured.touch = await measureTouch(stage)
  },
  async memory(stage, measured) {
    measured.memory = await measureMemory(stage)
  },
  async waiting(stage, measured) {
    measured.waiting = await measureWaiting(stage)
  },
}

function revision(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
    const isChanged = git('status', '--porcelain', '--', '../src') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}

try {
  await main()
} catch (error) {
  if (!(error instanceof CommandLineError)) throw error
  console.error(`${error.message}\n\n${help}`)
  process.exitCode = 2
}
