import type { Stage } from '../environment/stage.ts'
import { Program } from '../measure/program.ts'
import { nativeSchema } from '../store-level/contenders/native.ts'
import type { WaitingTasks } from './waiting-program.ts'

/** What requests hold in memory that wait for a database which does not answer. */
export interface WaitingFigure {
  readonly requests: number
  readonly connections: number
  /** MiB, after a full garbage collection. */
  readonly heapBefore: number
  readonly heapDuring: number
  /** Once the database answers again, and all requests have been answered. */
  readonly heapAfter: number
  readonly bytesPerRequest: number
}

const REQUESTS = 10_000

/** Lets requests wait for a table that is locked, as for a server that hangs. */
export async function measureWaiting({
  postgres,
  programs,
  onProgress,
}: Stage): Promise<WaitingFigure> {
  onProgress(`waiting: ${REQUESTS} requests for a database that does not answer`)
  const schema = nativeSchema('waiting')
  const program: Program<WaitingTasks> = Program.start(programs.file('waiting'), ['--expose-gc'])
  const nothing = undefined as never
  try {
    await postgres.admin.query(`drop schema if exists ${schema} cascade`)
    await program.ask('start', { postgres: postgres.url, schema, visitors: REQUESTS })
    const heapBefore = await program.ask('heap', nothing)
    await postgres.admin.query('begin')
    await postgres.admin.query(`lock table ${schema}.session in access exclusive mode`)
    await program.ask('begin', { requests: REQUESTS })
    const heapDuring = await program.ask('heap', nothing)
    const connections = await program.ask('connections', nothing)
    await postgres.admin.query('rollback')
    await program.ask('end', nothing)
    const heapAfter = await program.ask('heap', nothing)
    const bytesPerRequest = ((heapDuring - heapBefore) * 2 ** 20) / REQUESTS
    return {
      ...{ requests: REQUESTS, connections, heapBefore, heapDuring, heapAfter },
      bytesPerRequest,
    }
  } finally {
    await program.stop()
  }
}
