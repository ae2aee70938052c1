import { distributeTables } from '../../postgres/distribution.ts'
import { migrate as migrateTables } from '../../postgres/migrate.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../connect.ts'
import { databaseOptions } from '../option-table.ts'

export const migrate: Command = {
  summary: 'Create the tables, or upgrade them to this release',
  args: {
    citus: {
      type: 'boolean',
      description: "Then have Citus distribute the tables by the session's id",
    },
    ...databaseOptions,
  },
  async run(input) {
    const { names, timeout } = input
    const isOnCitus = input.flag('citus')
    const { from, to, distributed } = await withDatabase(input, async (driver) => ({
      ...(await migrateTables(driver, names, { timeout })),
      distributed: isOnCitus && (await distributeTables(driver, names, { timeout })),
    }))
    const migrated =
      from === to
        ? `Nothing to do: the tables have version ${to}, the newest that this release knows.`
        : `Migrated the tables from version ${from} to ${to}.`
    if (!isOnCitus) return { document: { from, to }, lines: [migrated] }
    const line = distributed
      ? "Citus distributes the tables by the session's id now. Write createSessions({ database, distributed: true })."
      : 'Citus distributes the tables already.'
    return { document: { from, to, distributed: true }, lines: [migrated, line] }
  },
}
