import { jsonCodec } from '../../codec/json-codec.ts'
import { sidIdentity } from '../../compatibility/by-sid/sid-identity.ts'
import { ConfigurationError, SchemaError, StoreError } from '../../errors.ts'
import { ConnectPgSimpleSource } from '../../import/connect-pg-simple/connect-pg-simple-source.ts'
import { findOldTables } from '../../import/connect-pg-simple/find-old-tables.ts'
import { resolveOldTable } from '../../import/connect-pg-simple/old-table.ts'
import type { ImportSource } from '../../import/import-source.ts'
import { passportUserId } from '../../import/passport-user.ts'
import { isOfOtherTypes } from '../../import/query-legacy-table.ts'
import type { Driver } from '../../postgres/driver.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { Input } from '../input.ts'
import { printable } from '../plain-text.ts'
import { moveTables } from './move-tables.ts'
import type { OldSystem } from './old-system.ts'

export const connectPgSimple: OldSystem = {
  ownOptions: ['table', 'time-zone'],
  idleTimeout: '1d',
  move: moveTables({ reach: (driver) => driver, open: openTable }),
}

/**
 * Opens the table of connect-pg-simple that the user named.
 *
 * @param ttl - Milliseconds that a session lives whose cookie does not say.
 * @throws {ConfigurationError} There is no such table; names those that there are.
 */
async function openTable(input: Input, driver: Driver, ttl: number): Promise<ImportSource> {
  const table = resolveOldTable({
    table: input.text('table'),
    schema: input.text('table-schema'),
    timeZone: input.text('time-zone'),
  })
  const reading = { identify: sidIdentity, codec: jsonCodec, userId: passportUserId, ttl }
  const source = new ConnectPgSimpleSource(table, reading)
  try {
    const first = { after: null, rows: 1, bytes: 1 }
    await new StatementRunner(driver, input.timeout).ask(source.page, first)
  } catch (error) {
    const isOther = error instanceof StoreError && isOfOtherTypes(error)
    if (!isOther && !(error instanceof SchemaError)) throw error
    throw await noSuchTable(input, driver, table.shown)
  }
  return source
}

async function noSuchTable(
  input: Input,
  driver: Driver,
  shown: string,
): Promise<ConfigurationError> {
  const found = await findOldTables(driver, input.timeout)
  const fitting = found.filter(({ problem }) => problem === null)
  const names = fitting.map(({ schema, table }) => printable(`${schema}.${table}`)).join(', ')
  const advice =
    fitting.length === 0
      ? 'No table of this database has them, so there is nothing to import.'
      : `These have them: ${names}. Write --table, and --table-schema if need be.`
  return new ConfigurationError(
    `There is no table ${printable(shown)} with the columns sid, sess and expire, a date. ${advice}`,
  )
}
