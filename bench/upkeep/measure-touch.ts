import { setTimeout as sleep } from 'node:timers/promises'
import { SAMPLE } from '../data/visitors.ts'
import type { PostgresServer } from '../environment/postgres.ts'
import type { Stage } from '../environment/stage.ts'
import { Program } from '../measure/program.ts'
import { watchServers } from '../measure/servers.ts'
import { median } from '../measure/statistics.ts'
import type { ContenderName } from '../store-level/client-program.ts'
import { nativeSchema } from '../store-level/contenders/native.ts'
import type { StoreClient } from '../store-level/measure-calls.ts'

/** What touches do to the tables. */
export interface TouchFigure {
  readonly contender: ContenderName
  readonly touches: number
  /** Of the touched rows, those that changed no index: heap-only updates. */
  readonly heapOnlyShare: number
  readonly walBytesPerTouch: number
  /** Of loads that followed. */
  readonly walBytesPerLoad: number
}

const DATASET = { name: 'touch', data: SAMPLE }
/** Of so many, one moves the purge bound, which has an index. */
const TOUCHES_EACH = 30
/** The server has one log for everything, so a round in which autovacuum runs counts too much. */
const LOAD_ROUNDS = 7

/** Touches each session many times, and asks PostgreSQL how it kept the rows. */
export async function measureTouch(stage: Stage): Promise<TouchFigure[]> {
  const contenders = [
    { contender: 'pg-sessions', table: `${nativeSchema(DATASET.name)}.session` },
    { contender: 'connect-pg-simple', table: `bench_${DATASET.name}_pg_simple` },
  ] as const
  const figures: TouchFigure[] = []
  for (const { contender, table } of contenders) {
    stage.onProgress(`touch: ${visitorsOf(stage) * TOUCHES_EACH} touches by ${contender}`)
    figures.push(await touchAll(stage, contender, table))
  }
  return figures
}

function visitorsOf({ extent }: Stage): number {
  return extent === 'quick' ? 500 : 2000
}

async function touchAll(
  stage: Stage,
  contender: ContenderName,
  table: string,
): Promise<TouchFigure> {
  const { postgres, redis, programs } = stage
  const { name: dataset } = DATASET
  const visitors = visitorsOf(stage)
  const client: StoreClient = Program.start(programs.file('store-client'))
  try {
    await postgres.admin.query(`drop schema if exists ${nativeSchema(dataset)} cascade`)
    await client.ask('open', {
      ...{
        contender,
        dataset: DATASET,
        servers: { postgres: postgres.url, redis: null, durableRedis: null },
      },
      ...{ visitors, population: visitors, fill: true },
    })
    await postgres.admin.query(`vacuum analyze ${table}`)
    const all = visitors * TOUCHES_EACH
    const calls = (operation: 'touch' | 'load', mostCalls: number) =>
      watchServers(postgres, redis, () =>
        client.ask('round', {
          ...{ dataset, operation, atATime: 16, milliseconds: 120_000, mostCalls },
        }),
      )
    const before = await readUpdates(postgres, table)
    const touches = await calls('touch', all)
    const after = await countedUpdates(postgres, table, before.updates + touches.result.calls)
    await postgres.admin.query(`vacuum ${table}`)
    await calls('load', visitors * 5)
    const walBytesPerLoad: number[] = []
    for (let round = 0; round < LOAD_ROUNDS; round++) {
      const loads = await calls('load', visitors * 2)
      walBytesPerLoad.push(loads.work.walBytes / loads.result.calls)
    }
    return {
      contender,
      touches: touches.result.calls,
      heapOnlyShare: (after.heapOnly - before.heapOnly) / (after.updates - before.updates),
      walBytesPerTouch: touches.work.walBytes / touches.result.calls,
      walBytesPerLoad: median(walBytesPerLoad),
    }
  } finally {
    await client.stop()
  }
}

interface Updates {
  readonly updates: number
  readonly heapOnly: number
}

async function readUpdates({ admin }: PostgresServer, table: string): Promise<Updates> {
  const { rows } = await admin.query<{ updates: string; heap_only: string }>(
    `select n_tup_upd::text as updates, n_tup_hot_upd::text as heap_only
      from pg_stat_all_tables where relid = $1::regclass`,
    [table],
  )
  return { updates: Number(rows[0]?.updates), heapOnly: Number(rows[0]?.heap_only) }
}

/** The server's processes report what they did a little later. Some touches of one batch may be one. */
async function countedUpdates(
  postgres: PostgresServer,
  table: string,
  expected: number,
): Promise<Updates> {
  let last = await readUpdates(postgres, table)
  for (let attempt = 0; attempt < 24 && last.updates < expected; attempt++) {
    await sleep(500)
    last = await readUpdates(postgres, table)
  }
  return last
}
