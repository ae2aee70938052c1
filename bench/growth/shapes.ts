import { createHash } from 'node:crypto'
import type { Extent, Stage } from '../environment/stage.ts'
import { Program } from '../measure/program.ts'
import type { ContenderName } from '../store-level/client-program.ts'
import { nativeSchema } from '../store-level/contenders/native.ts'
import { type CallFigure, measureCalls, type StoreClient } from '../store-level/measure-calls.ts'

/** What calls cost for sessions that hold so much. */
export interface ShapeFigure extends CallFigure {
  readonly shape: string
  readonly entries: number
  /** Of all values together. */
  readonly bytes: number
}

interface Shape {
  readonly name: string
  readonly label: string
  /** Beside the one small entry that changes. */
  readonly others: number
  readonly otherBytes: number
  readonly visitors: number
}

const SHAPES: readonly Shape[] = [
  { name: 'one', label: '1 small entry', others: 0, otherBytes: 0, visitors: 2000 },
  { name: 'ten', label: '10 entries, 1 kB', others: 9, otherBytes: 100, visitors: 2000 },
  { name: 'hundred', label: '100 entries, 10 kB', others: 99, otherBytes: 100, visitors: 1000 },
  { name: 'wide', label: '11 entries, 100 kB', others: 10, otherBytes: 10_000, visitors: 200 },
  { name: 'huge', label: '11 entries, 1 MB', others: 10, otherBytes: 100_000, visitors: 60 },
  {
    name: 'single',
    label: '2 entries, one of 1 MB',
    others: 1,
    otherBytes: 1_000_000,
    visitors: 60,
  },
]

const CONTENDERS: readonly ContenderName[] = [
  'pg-sessions',
  'connect-pg-simple',
  'connect-redis (redis 5)',
]

const PLANS: Readonly<Record<Extent, { readonly rounds: number; readonly milliseconds: number }>> =
  {
    quick: { rounds: 3, milliseconds: 60 },
    standard: { rounds: 5, milliseconds: 150 },
    full: { rounds: 11, milliseconds: 400 },
  }

/** Measures reading all of a session or one small key, and changing that or the largest, in rounds that take turns. */
export async function measureShapes(stage: Stage): Promise<ShapeFigure[]> {
  const { postgres, redis, programs, extent, onProgress } = stage
  const contenders = CONTENDERS.filter(
    (name) => extent !== 'quick' && (redis !== null || !name.startsWith('connect-redis')),
  )
  const clients = new Map<ContenderName, StoreClient>()
  for (const name of extent === 'quick' ? (['pg-sessions'] as const) : contenders) {
    clients.set(name, Program.start(programs.file('store-client')))
  }
  try {
    onProgress('growth: filling sessions of several sizes')
    for (const shape of SHAPES) {
      await postgres.admin.query(`drop schema if exists ${nativeSchema(shape.name)} cascade`)
      for (const [name, client] of clients) await fill(stage, client, name, shape)
    }
    const figures: ShapeFigure[] = []
    for (const operation of ['load', 'save', 'read one key', 'write the largest'] as const) {
      onProgress(`growth: ${operation} of sessions of several sizes`)
      const cases = SHAPES.flatMap((shape) =>
        [...clients]
          .filter(([contender]) => contender === 'pg-sessions' || operation !== 'read one key')
          .map(([contender, client]) => ({ shape, contender, client })),
      )
      const kinds = cases.map(({ shape, contender, client }) => ({
        ...{ client, contender, dataset: shape.name, operation, atATime: 16 },
      }))
      const measured = await measureCalls(stage, kinds, PLANS[extent])
      for (const [index, { shape }] of cases.entries()) {
        const { label, others, otherBytes } = shape
        const facts = { shape: label, entries: others + 1, bytes: others * otherBytes }
        figures.push({ ...facts, ...(measured[index] as CallFigure) })
      }
    }
    return figures
  } finally {
    await Promise.all([...clients.values()].map((client) => client.stop()))
  }
}

async function fill(
  { postgres, redis, extent }: Stage,
  client: StoreClient,
  contender: ContenderName,
  { name, others, otherBytes, visitors }: Shape,
): Promise<void> {
  const dataset = { name, data: dataOf(others, otherBytes) }
  const servers = {
    postgres: postgres.url,
    redis: redis?.url ?? null,
    durableRedis: redis?.durableUrl ?? null,
  }
  const population = { visitors, population: visitors, fill: true }
  await client.ask('open', { contender, servers, dataset, ...population })
  const operations = ['load', 'save'] as const
  const milliseconds = extent === 'quick' ? 200 : 600
  await client.ask('warmUp', { dataset: name, operations, calls: 5000, milliseconds })
}

/** Text that no compression makes smaller than half, as is true of most of what sessions hold. */
function dataOf(others: number, bytes: number): Record<string, unknown> {
  const data: Record<string, unknown> = { visits: 100_000 }
  for (let index = 0; index < others; index++) {
    let text = ''
    for (let part = 0; text.length < bytes; part++) {
      text += createHash('sha256').update(`${index} ${part}`).digest('base64')
    }
    data[`entry ${index}`] = text.slice(0, bytes)
  }
  return data
}
