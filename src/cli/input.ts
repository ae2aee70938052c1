import { type ArgsDef, type ParsedArgs, parseArgs } from 'citty'
import { ConfigurationError } from '../errors.ts'
import {
  resolveTableNames,
  type TableNameOptions,
  type TableNames,
} from '../postgres/table-names.ts'
import { type Duration, parseDuration } from '../options/duration.ts'

/** The options that say which tables are meant. */
export const tableOptions: ArgsDef = {
  schema: {
    type: 'string',
    description: 'Database schema of the tables (default: sessions)',
    valueHint: 'name',
  },
  'session-table': {
    type: 'string',
    description: 'Table of sessions (default: session)',
    valueHint: 'name',
  },
  'session-data-table': {
    type: 'string',
    description: 'Table of entries (default: session_data)',
    valueHint: 'name',
  },
  'migration-table': {
    type: 'string',
    description: 'Table of schema versions (default: migration)',
    valueHint: 'name',
  },
}

export const outputOptions: ArgsDef = {
  json: { type: 'boolean', description: 'Print one JSON document instead of text' },
}

/** The options of every command that talks to a database. */
export const databaseOptions: ArgsDef = {
  'database-url': {
    type: 'string',
    description: 'postgres://user:password@host:port/database (default: $DATABASE_URL)',
    valueHint: 'url',
  },
  ...tableOptions,
  timeout: {
    type: 'string',
    description: 'How long to wait for each answer of the database (default: 30s)',
    valueHint: 'duration',
  },
  ...outputOptions,
}

/** What a user wrote on the command line, read by name and checked. */
export class Input {
  readonly #args: ParsedArgs<ArgsDef>

  constructor(rawArgs: readonly string[], known: ArgsDef) {
    this.#args = parseArgs([...rawArgs], known)
  }

  /** @throws {ConfigurationError} It is given, but empty. */
  text(name: string): string | undefined {
    const value = this.#args[name]
    if (value === undefined) return undefined
    if (typeof value === 'string' && value !== '') return value
    throw new ConfigurationError(`--${name} is empty. Write a value, or leave the option out.`)
  }

  /** Whether it is given at all. */
  has(name: string): boolean {
    return this.#args[name] !== undefined
  }

  flag(name: string): boolean {
    return this.#args[name] === true
  }

  /** @throws {ConfigurationError} It is no whole number from 1 to `most`. */
  count(name: string, usual: number, most: number): number {
    const text = this.text(name)
    if (text === undefined) return usual
    const number = /^\d{1,9}$/.test(text) ? Number(text) : 0
    if (number >= 1 && number <= most) return number
    throw new ConfigurationError(`--${name} must be a whole number from 1 to ${most}.`)
  }

  /** @throws {ConfigurationError} It is no duration such as 500ms, 10s or 2m. */
  get timeout(): number {
    return parseDuration('--timeout', (this.text('timeout') ?? '30s') as Duration)
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

  /** @throws {ConfigurationError} A name cannot be one, or is used twice. */
  get names(): TableNames {
    return resolveTableNames(this.tables)
  }

  /** @throws {ConfigurationError} No database is named, or not by a PostgreSQL connection string. */
  get databaseUrl(): string {
    const url = this.text('database-url') ?? process.env.DATABASE_URL ?? ''
    if (url === '') {
      throw new ConfigurationError(
        'No database is named. Set DATABASE_URL, or write --database-url postgres://user:password@host:port/database.',
      )
    }
    // What was written may hold a password, so the message does not repeat it.
    if (!/^(postgres(ql)?:\/\/|socket:|\/)/.test(url)) {
      throw new ConfigurationError(
        'The database address is not a PostgreSQL connection string. Write it as postgres://user:password@host:port/database.',
      )
    }
    return url
  }

  /** Where the database is looked for, without the user and the password. */
  get address(): string {
    const url = this.#args['database-url'] ?? process.env.DATABASE_URL
    if (typeof url !== 'string' || !URL.canParse(url)) return 'the given address'
    const { hostname, port, pathname } = new URL(url)
    const host = hostname === '' ? 'localhost' : decodeURIComponent(hostname)
    return `${host}:${port === '' ? '5432' : port}${pathname === '/' ? '' : pathname}`
  }
}
