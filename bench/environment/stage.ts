import type { PostgresServer } from './postgres.ts'
import type { Programs } from './programs.ts'
import type { RedisServer } from './redis.ts'

/** How much is measured. */
export type Extent = 'quick' | 'standard' | 'full'

/** What every section is given. */
export interface Stage {
  readonly postgres: PostgresServer
  /** Null where Redis is not installed. */
  readonly redis: RedisServer | null
  readonly programs: Programs
  readonly extent: Extent
  /** Where CPU profiles of the measured programs go; null for none, since profiling costs. */
  readonly profiles: string | null
  readonly onProgress: (message: string) => void
}

/** Flags for Node, to profile a program under a name. */
export function profileFlags({ profiles }: Stage, name: string): string[] {
  if (profiles === null) return []
  const file = `${name.replaceAll(/[^\w-]+/g, '-')}.cpuprofile`
  return ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${file}`]
}
