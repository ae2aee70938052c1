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
  readonly onProgress: (message: string) => void
}
