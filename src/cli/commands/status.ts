import {
  type OldTableStatus,
  readOldTables,
} from '../../import/connect-pg-simple/find-old-tables.ts'
import { checkSchema } from '../../postgres/migrate.ts'
import { latestVersion } from '../../postgres/schema-sql.ts'
import { readStatus, type StoreStatus } from '../../postgres/store-status.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../connect.ts'
import { databaseOptions } from '../option-table.ts'
import { countOf, formatBytes, formatTime, jsonTime, printable } from '../plain-text.ts'

export const status: Command = {
  summary: 'Show the schema version, the sessions and the size of their tables',
  args: databaseOptions,
  async run(input) {
    const { names, timeout } = input
    const found = await withDatabase(input, async (driver) => {
      await checkSchema(driver, names, { timeout })
      const here = await readStatus(driver, names, { timeout })
      return { here, old: await readOldTables(driver, timeout) }
    })
    const { here, old } = found
    return {
      document: { ...documentOf(here), connectPgSimple: old },
      lines: [...linesOf(here), ...old.map(oldLine)],
    }
  },
}

function documentOf(found: StoreStatus): object {
  return {
    schemaVersion: latestVersion,
    live: found.live,
    users: found.users,
    expired: found.expired,
    oldestCreatedAt: jsonTime(found.oldestCreatedAt),
    newestCreatedAt: jsonTime(found.newestCreatedAt),
    tableBytes: found.tableBytes,
    indexBytes: found.indexBytes,
    purgeBacklog: found.purgeBacklog,
    nextPurgeAt: jsonTime(found.nextPurgeAt),
  }
}

function linesOf(found: StoreStatus): readonly string[] {
  const facts: readonly (readonly [string, string])[] = [
    ['schema version', `${latestVersion} (up to date)`],
    ['live', `${countOf(found.live, 'session')} of ${countOf(found.users, 'user')}`],
    ['expired', `${countOf(found.expired, 'session')}, not yet purged`],
    ['oldest', found.oldestCreatedAt === null ? '-' : formatTime(found.oldestCreatedAt)],
    ['newest', found.newestCreatedAt === null ? '-' : formatTime(found.newestCreatedAt)],
    ['size', `${formatBytes(found.tableBytes)} tables, ${formatBytes(found.indexBytes)} indexes`],
    ['purge', describePurge(found)],
  ]
  return facts.map(([name, fact]) => `${name.padEnd(16)}${fact}`)
}

/** What is still to move; nothing is said where no other system kept sessions. */
function oldLine({ schema, table, live, expired, problem }: OldTableStatus): string {
  if (problem !== null) {
    return `${'left out'.padEnd(16)}${printable(`${schema}.${table}`)} has columns sid, sess and expire, but ${problem}`
  }
  const fact = `${countOf(live, 'session')} of connect-pg-simple in ${printable(`${schema}.${table}`)}, and ${expired} expired`
  return `${'left to move'.padEnd(16)}${fact}`
}

function describePurge({ purgeBacklog, nextPurgeAt }: StoreStatus): string {
  if (purgeBacklog > 0) return `${countOf(purgeBacklog, 'session')} due now`
  return nextPurgeAt === null ? 'nothing due' : `next due ${formatTime(nextPurgeAt)}`
}
