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
  /**
   * The columns that the tables have after this step, as `format_type` shows them, so that tables can be
   * recognized without their record: `id uuid`.
   */
  readonly columns: {
    readonly session: readonly string[]
    readonly sessionData: readonly string[]
  }
  /** Statements without parameters that run inside one transaction, each ended by a semicolon. */
  sql(names: TableNames): string
}
