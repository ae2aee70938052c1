import { ConfigurationError } from '../errors.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import {
  resolveTableNames,
  type TableNameOptions,
  type TableNames,
} from '../postgres/table-names.ts'
import { type DatabaseAddress, findDatabase } from './database-address.ts'
import type { OptionTable } from './option-table.ts'
import { type GivenArgs, readArgs } from './read-args.ts'

/** What a user wrote on the command line, read by name and checked. */
export class Input {
  readonly #args: GivenArgs

  /** @throws {ConfigurationError} If the command does not take what was written. */
  constructor(rawArgs: readonly string[], known: OptionTable) {
    this.#args = readArgs(rawArgs, known)
  }

  /** @throws {ConfigurationError} If it is given, but empty. */
  text(name: string): string | undefined {
    const value = this.#args.get(name)
    if (value === undefined) return undefined
    if (typeof value === 'string' && value !== '') return value
    throw new ConfigurationError(`--${name} is empty. Write a value, or leave the option out.`)
  }

  /** Whether it is given at all. */
  has(name: string): boolean {
    return this.#args.has(name)
  }

  flag(name: string): boolean {
    return this.#args.get(name) === true
  }

  /** @throws {ConfigurationError} If it is not a whole number from 1 to `most`. */
  count(name: string, usual: number, most: number): number {
    const text = this.text(name)
    if (text === undefined) return usual
    const number = /^\d{1,9}$/.test(text) ? Number(text) : 0
    if (number >= 1 && number <= most) return number
    throw new ConfigurationError(`--${name} must be a whole number from 1 to ${most}.`)
  }

  /** @throws {ConfigurationError} If it is not a duration such as 500ms, 10s or 2m. */
  get timeout(): number {
    return parseDuration('--timeout', (this.text('timeout') ?? '30s') as Duration)
  }

  /** How long to wait for a connection: `PGCONNECT_TIMEOUT` counts where `--timeout` is not given. */
  get connectTimeout(): number {
    return this.has('timeout') ? this.timeout : (this.database.timeout ?? this.timeout)
  }

  get tables(): TableNameOptions {
    return {
      schema: this.text('schema'),
      tables: {
        session: this.text('session-table'),
        sessionData: this.text('session-data-table'),
        migration: this.text('migration-table'),
      },
    }
  }

  /** @throws {ConfigurationError} If a name cannot be one, or is used twice. */
  get names(): TableNames {
    return resolveTableNames(this.tables)
  }

  /** @throws {ConfigurationError} If no database is named, or not in a readable way. */
  get database(): DatabaseAddress {
    return findDatabase(this.text('database-url'), process.env)
  }
}
