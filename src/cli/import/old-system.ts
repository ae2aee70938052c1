import type { ImportOptions } from '../../import/import-sessions.ts'
import type { ImportReport } from '../../import/import-tally.ts'
import type { Duration } from '../../options/duration.ts'
import type { Driver } from '../../postgres/driver.ts'
import type { Input } from '../input.ts'

/** A system whose sessions the command line can move. */
export interface OldSystem {
  /** The options of `import` that no other system takes. */
  readonly ownOptions: readonly string[]
  /** Default lifetime of its sessions. */
  readonly idleTimeout: Duration
  /** Moves its sessions. The report names the system. */
  move(
    input: Input,
    work: ImportWork,
  ): Promise<{ readonly name: string; readonly report: ImportReport }>
}

/** What every import is told. */
interface ImportWork
  extends Required<Omit<ImportOptions, 'runner' | 'source' | 'seal'>>,
    Pick<ImportOptions, 'seal'> {
  /** Reaches our tables. */
  readonly driver: Driver
  /** Milliseconds that a session lives from its last access. */
  readonly idleTimeout: number
}
