import { ConfigurationError } from '../../errors.ts'
import { latestVersion, schemaSql } from '../../postgres/schema-sql.ts'
import type { Command } from '../command.ts'
import { outputOptions, tableOptions } from '../option-table.ts'

export const sql: Command = {
  summary: 'Print the migrations as SQL, to run them by hand; needs no database',
  args: {
    from: {
      type: 'string',
      description: 'Version that the tables have now (default: 0, an empty database)',
      valueHint: 'version',
    },
    ...tableOptions,
    ...outputOptions,
  },
  async run(input) {
    const text = input.text('from') ?? '0'
    if (!/^\d{1,9}$/.test(text)) {
      throw new ConfigurationError(
        `--from must be a version of the schema. Write a whole number from 0 to ${latestVersion}.`,
      )
    }
    const from = Number(text)
    const printed = schemaSql(input.names, { from })
    return { document: { from, to: latestVersion, sql: printed }, lines: [printed.trimEnd()] }
  },
}
