import type { PostgresServer } from '../environment/postgres.ts'
import type { RedisServer } from '../environment/redis.ts'
import { type CpuReading, cpuBetween, readTreeCpu } from './process-cpu.ts'

/** What the database servers did between two looks. */
export interface ServerWork {
  /** Microseconds of CPU; null where it cannot be read. */
  readonly postgresCpu: number | null
  readonly redisCpu: number | null
  readonly walBytes: number
  readonly redisCommands: number
}

/** Runs something, and tells what it cost the servers. The readings themselves are left out. */
export async function watchServers<Result>(
  postgres: PostgresServer,
  redis: RedisServer | null,
  run: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly work: ServerWork }> {
  const commandsBefore = (await redis?.commands()) ?? 0
  const walBefore = await walPosition(postgres)
  const before = { postgres: readCpu(postgres.pid), redis: readCpus(redis?.pids ?? null) }
  const result = await run()
  const after = { postgres: readCpu(postgres.pid), redis: readCpus(redis?.pids ?? null) }
  const walAfter = await walPosition(postgres)
  const commandsAfter = (await redis?.commands()) ?? 0
  return {
    result,
    work: {
      postgresCpu: between(before.postgres, after.postgres),
      redisCpu: sumBetween(before.redis, after.redis),
      walBytes: walAfter - walBefore,
      // Each server counts the question itself.
      redisCommands:
        redis === null ? 0 : commandsAfter - commandsBefore - (redis.pids?.length ?? 1),
    },
  }
}

export async function walPosition({ admin }: PostgresServer): Promise<number> {
  const { rows } = await admin.query<{ bytes: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text as bytes`,
  )
  return Number(rows[0]?.bytes)
}

function readCpu(pid: number | null): CpuReading | null {
  return pid === null ? null : readTreeCpu(pid)
}

function readCpus(pids: readonly number[] | null): readonly CpuReading[] | null {
  return pids === null ? null : pids.map(readTreeCpu)
}

function sumBetween(
  before: readonly CpuReading[] | null,
  after: readonly CpuReading[] | null,
): number | null {
  if (before === null || after === null) return null
  return before.reduce((sum, reading, at) => sum + cpuBetween(reading, after[at] as CpuReading), 0)
}

function between(before: CpuReading | null, after: CpuReading | null): number | null {
  return before === null || after === null ? null : cpuBetween(before, after)
}
