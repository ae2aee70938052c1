import type { Duration } from '../options/duration.ts'
import { duration, type OptionTable, oneOf } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import {
  type FromTokenTableOptions,
  type FromTokenTableSettings,
  fromTokenTable,
  type TokenTableValues,
  tokenTableOptions,
} from './token-table/from-token-table.ts'
import { type LuciaTokens, luciaSystem } from './token-table/systems.ts'

/** Where an application with Lucia, or with the code from its pages, keeps its sessions. */
export interface FromLuciaOptions extends FromTokenTableOptions {
  /**
   * What the table holds of a token: the token itself (`'clear'`, Lucia 3), its SHA-256 as `id` (`'hashed'`), or an id
   * and the SHA-256 of the secret beside it (`'id-and-secret'`).
   */
  readonly tokens: LuciaTokens
  /** How long a session lives from its creation, if no column holds its end. */
  readonly lifetime?: Duration
  /** Columns that have other names than in Lucia's adapter and pages. */
  readonly columns?: {
    readonly token?: string
    readonly secretHash?: string
    readonly userId?: string
    readonly expiresAt?: string
    readonly createdAt?: string
  }
}

const TABLE: OptionTable<TokenTableValues & { tokens: LuciaTokens; lifetime: number | undefined }> =
  {
    ...tokenTableOptions,
    tokens: oneOf(['clear', 'hashed', 'id-and-secret'], 'clear'),
    lifetime: duration(undefined),
  }

/**
 * Settings for sessions that take over those of Lucia, or of the code that Lucia's pages have shown since version 3,
 * one by one, as their users return.
 *
 * A browser that presents such a cookie stays signed in as the same user, and is given a token of ours with that
 * response, under the same name. Its row leaves the old table in the same statement, so nothing that ended comes
 * back. A user's other sessions move before you list or end them. `pg-sessions import lucia` moves the rest.
 *
 * @throws {ConfigurationError} An option is wrong; says what to write.
 * @example
 * ```ts
 * import { createSessions } from 'pg-sessions'
 * import { fromLucia } from 'pg-sessions/import'
 * import { fromPg } from 'pg-sessions/pg'
 *
 * const sessions = createSessions({
 *   ...fromLucia({ database: fromPg(pool), tokens: 'hashed' }),
 *   idleTimeout: '30d',
 * })
 * ```
 */
export function fromLucia(options: FromLuciaOptions): FromTokenTableSettings {
  const read = readOptions('fromLucia', TABLE, options)
  return fromTokenTable(luciaSystem(read.tokens, read.lifetime), read)
}
