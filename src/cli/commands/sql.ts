import { ConfigurationError } from '../../errors.ts'
import { distributionSql } from '../../postgres/distribution.ts'
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
    citus: {
      type: 'boolean',
      description: "Also print what has Citus distribute the tables by the session's id",
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
    const distribution = distributionSql(input.names).map((statement) => `${statement};\n`)
    const printed = [
      schemaSql(input.names, { from }),
      ...(input.flag('citus') ? ['-- On the coordinator:\n', ...distribution] : []),
    ].join('')
    return { document: { from, to: latestVersion, sql: printed }, lines: [printed.trimEnd()] }
  },
}
