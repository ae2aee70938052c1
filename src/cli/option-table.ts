/** One option of a command, or its argument. */
export interface OptionDefinition {
  readonly type: 'string' | 'boolean' | 'positional'
  /** One line of help. */
  readonly description: string
  /** What stands for the value in help: `name`. */
  readonly valueHint?: string
  /** What an argument may be, for the completion of shells. */
  readonly choices?: readonly string[]
}

/** The options of a command by name, and its argument if it takes one. */
export type OptionTable = Readonly<Record<string, OptionDefinition>>

/** The options that say which tables are meant. */
export const tableOptions: OptionTable = {
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

export const outputOptions: OptionTable = {
  json: { type: 'boolean', description: 'Print one JSON document instead of text' },
}

/** The options of every command that connects to a database. */
export const databaseOptions: OptionTable = {
  'database-url': {
    type: 'string',
    description:
      'postgres://user:password@host:port/database (default: $DATABASE_URL, then PGHOST and the other variables of libpq)',
    valueHint: 'url',
  },
  ...tableOptions,
  timeout: {
    type: 'string',
    description: 'How long to wait for each database query (default: 30s)',
    valueHint: 'duration',
  },
  ...outputOptions,
}
