import type { TableNames } from '../table-names.ts'

/**
 * One step of the schema, from `version - 1` to `version`.
 *
 * A released migration never changes: databases out there have run it as it was. What needs
 * correcting is corrected by the next one.
 */
export interface Migration {
  readonly version: number
  /** What it does, as a verb and a noun: `create-sessions`. */
  readonly name: string
  /** Statements without parameters that run inside one transaction, each ended by a semicolon. */
  sql(names: TableNames): string
}
