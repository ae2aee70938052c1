import { migrate as migrateTables } from '../../postgres/migrate.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../connect.ts'
import { databaseOptions } from '../option-table.ts'

export const migrate: Command = {
  summary: 'Create the tables, or upgrade them to this release',
  args: databaseOptions,
  async run(input) {
    const { names, timeout } = input
    const { from, to } = await withDatabase(input, (driver) =>
      migrateTables(driver, names, { timeout }),
    )
    const line =
      from === to
        ? `Nothing to do: the tables have version ${to}, the newest that this release knows.`
        : `Migrated the tables from version ${from} to ${to}.`
    return { document: { from, to }, lines: [line] }
  },
}
