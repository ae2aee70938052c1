import type { ImportSource } from '../../import/import-source.ts'
import type { Duration } from '../../options/duration.ts'
import type { Driver } from '../../postgres/driver.ts'
import type { Input } from '../input.ts'

/** A system whose sessions the command line can move. */
export interface OldSystem {
  /** The options of `import` that no other system takes. */
  readonly ownOptions: readonly string[]
  /** Default lifetime of its sessions. */
  readonly idleTimeout: Duration
  /** What its sessions are read and moved over. */
  reach(driver: Driver): Driver
  /** @param idleTimeout - Milliseconds that a session lives from its last access. */
  open(input: Input, driver: Driver, idleTimeout: number): Promise<ImportSource>
}
