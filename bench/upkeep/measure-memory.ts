import type { Stage } from '../environment/stage.ts'
import { BODIES, PAGE_METHODS, type Page } from '../http-level/application.ts'
import { cookiesFor } from '../http-level/cookies.ts'
import type { LoadTasks } from '../http-level/load-program.ts'
import type { ServerTasks } from '../http-level/server-program.ts'
import { Program } from '../measure/program.ts'
import { nativeSchema } from '../store-level/contenders/native.ts'

/** The memory of an application under steady traffic, after a full garbage collection; MiB. */
export interface MemorySample {
  readonly minute: number
  readonly heap: number
  readonly resident: number
}

const MINUTES = 10
const VISITORS = 10_000
const MIX: readonly (readonly [page: Page, seconds: number])[] = [
  ['read', 20],
  ['write', 15],
  ['login', 5],
  ['untouched', 5],
]

/** Lets visitors come for ten minutes, after two to warm up. Null unless a full run is wanted. */
export async function measureMemory(stage: Stage): Promise<MemorySample[] | null> {
  const { postgres, programs, extent, onProgress } = stage
  if (extent !== 'full') {
    onProgress('memory: only with --full, since it takes twelve minutes')
    return null
  }
  const name = 'Express, pg-sessions'
  const cookies = cookiesFor(name, VISITORS)
  const browsers: Program<LoadTasks> = Program.start(programs.file('load'))
  const server: Program<ServerTasks> = Program.start(programs.file('server'), ['--expose-gc'])
  try {
    await postgres.admin.query(`drop schema if exists ${nativeSchema('http')} cascade`)
    const servers = { postgres: postgres.url, redis: null, durableRedis: null }
    const { port } = await server.ask('start', { name, servers, visitors: VISITORS })
    const samples: MemorySample[] = []
    const start = performance.now()
    for (let minute = -2; minute <= MINUTES; ) {
      for (const [page, seconds] of MIX) {
        await browsers.ask('load', {
          ...{ url: `http://127.0.0.1:${port}/${page}`, method: PAGE_METHODS[page] },
          ...{ cookies: page === 'login' ? [] : cookies, connections: 16 },
          ...{ until: { duration: seconds }, body: BODIES[page] },
        })
      }
      minute = (performance.now() - start) / 60_000 - 2
      if (minute < 0) continue
      const sample = { minute, ...(await server.ask('memory', undefined as never)) }
      samples.push(sample)
      onProgress(`memory: minute ${minute.toFixed(1)}, heap ${sample.heap.toFixed(1)} MiB`)
    }
    return samples
  } finally {
    await Promise.all([browsers.stop(), server.stop()])
  }
}
