import type { Input } from './input.ts'
import type { OptionTable } from './option-table.ts'

/** One thing that the command line does. */
export interface Command {
  /** One line of help. */
  readonly summary: string
  /** Its options, and the argument it takes if any. */
  readonly args: OptionTable
  run(input: Input): Promise<Report>
}

/** What a command found or did, for a program and for a person. */
export interface Report {
  /** Printed under `--json`. */
  readonly document: object
  /** Printed otherwise. */
  readonly lines: readonly string[]
  /** The exit status. Default: 0, done. */
  readonly status?: 0 | 1
}
