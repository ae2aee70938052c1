import { importSessions } from '../../import/import-sessions.ts'
import type { ImportSource } from '../../import/import-source.ts'
import type { Driver } from '../../postgres/driver.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { Input } from '../input.ts'
import type { OldSystem } from './old-system.ts'

/** Where the tables of an old system are, in the same database as ours. */
interface OldTables {
  /** What its sessions are read and moved over. */
  reach(driver: Driver): Driver
  /** @param idleTimeout - Milliseconds that a session lives from its last access. */
  open(input: Input, driver: Driver, idleTimeout: number): Promise<ImportSource>
}

/** Moves the sessions of another system's tables. */
export function moveTables({ reach, open }: OldTables): OldSystem['move'] {
  return async (input, { driver: plainDriver, idleTimeout, ...options }) => {
    const driver = reach(plainDriver)
    const source = await open(input, driver, idleTimeout)
    const runner = new StatementRunner(driver, input.timeout)
    return { name: source.name, report: await importSessions({ ...options, runner, source }) }
  }
}
