import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError, isSessionError } from '../../errors.ts'
import { foreignTables, readWaiCatalog } from '../../haskell/table-shape.ts'
import { waiTableNames } from '../../haskell/wai-table-names.ts'
import { countRecentlyUsed } from '../../import/haskell/recent-use.ts'
import { oneMoment } from '../../import/haskell/repeatable-read.ts'
import { mapperOf, type WaiMapping } from '../../import/haskell/wai-mapping.ts'
import { WaiSource } from '../../import/haskell/wai-source.ts'
import type { ImportSource } from '../../import/import-source.ts'
import type { Driver } from '../../postgres/driver.ts'
import type { Input } from '../input.ts'
import { countOf, printable } from '../plain-text.ts'
import { moveTables } from './move-tables.ts'
import type { OldSystem } from './old-system.ts'

export const waiSessionPostgresql: OldSystem = {
  ownOptions: ['map', 'drop-undecodable'],
  idleTimeout: '1h',
  move: moveTables({ reach: oneMoment, open: openTables }),
}

/**
 * Opens the tables of wai-session-postgresql.
 *
 * @param timeout - Milliseconds that a session lives from its last access, as that service has it.
 * @throws {ConfigurationError} The tables are not there, or the mapping is none.
 */
async function openTables(input: Input, driver: Driver, timeout: number): Promise<ImportSource> {
  const schema = input.text('table-schema') ?? 'public'
  const mapping = await loadMapping(input.text('map'))
  const dropUndecodable = input.flag('drop-undecodable') || mapping.dropUndecodable === true
  const map = mapperOf({ ...mapping, dropUndecodable })
  const names = waiTableNames(schema)
  const { faults, hasTables } = await readWaiCatalog(driver, names, input.timeout)
  if (faults.length > 0) throw new ConfigurationError(foreignTables(names, faults).message)
  if (!hasTables) {
    throw new ConfigurationError(
      `The tables wai_pg_sessions and wai_pg_session_data are not in the schema ${printable(schema)}. Write the one that they are in: --table-schema name.`,
    )
  }
  const used = await countRecentlyUsed(driver, names, input.timeout)
  if (used > 0) {
    process.stderr.write(
      `${countOf(used, 'session')} of wai-session-postgresql used in the last minute. If its service is running, stop it first: it does not know sessions that have moved, so their users are signed out there.\n`,
    )
  }
  return new WaiSource({ schema, timeout, map, takesFlagged: false })
}

/** Loads what a module says of the types of keys and values, and of what becomes of them. */
async function loadMapping(path: string | undefined): Promise<WaiMapping<unknown, unknown>> {
  if (path === undefined) return {}
  try {
    const { key, value, map, codec, dropUndecodable } = await import(
      pathToFileURL(resolve(path)).href
    )
    if (key === undefined && value === undefined && map === undefined && codec === undefined) {
      throw new ConfigurationError(
        'The module of --map has none of the exports that this command reads. It may export key, value, map, codec and dropUndecodable.',
      )
    }
    // The module is the user's own; `mapperOf` looks at each of these.
    return { key, value, map, codec, dropUndecodable }
  } catch (error) {
    if (isSessionError(error)) throw error
    const [reason = ''] = String(error instanceof Error ? error.message : error).split('\n')
    throw new ConfigurationError(
      `The module of --map cannot be loaded: ${printable(reason)}. Write the path of a JavaScript module, such as --map ./map.js.`,
    )
  }
}
