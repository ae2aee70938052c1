import { readOptions } from '../options/read-options.ts'
import {
  type FromTokenTableOptions,
  type FromTokenTableSettings,
  fromTokenTable,
  tokenTableOptions,
} from './token-table/from-token-table.ts'
import { authjsSystem } from './token-table/systems.ts'

/** Where Auth.js keeps its sessions. */
export interface FromAuthjsOptions extends FromTokenTableOptions {
  /** Columns that have other names than in the adapters of Auth.js. */
  readonly columns?: {
    readonly token?: string
    readonly userId?: string
    readonly expiresAt?: string
  }
}

/**
 * Settings for sessions that take over those of Auth.js with `session: { strategy: 'database' }`, one by one, as their
 * users return.
 *
 * A browser that presents the cookie of Auth.js stays signed in as the same user, and is given a token of ours with
 * that response, under the same name. Its row leaves the table of Auth.js in the same statement, so nothing that
 * ended comes back. A user's other sessions move before you list or end them. `pg-sessions import authjs` moves the
 * rest. A JWT of `strategy: 'jwt'` has no row, so its user signs in again.
 *
 * @throws {ConfigurationError} An option is wrong; says what to write.
 * @example
 * ```ts
 * import { createSessions } from 'pg-sessions'
 * import { fromAuthjs } from 'pg-sessions/import'
 * import { fromPg } from 'pg-sessions/pg'
 *
 * const sessions = createSessions({ ...fromAuthjs({ database: fromPg(pool) }), idleTimeout: '30d' })
 * ```
 */
export function fromAuthjs(options: FromAuthjsOptions): FromTokenTableSettings {
  return fromTokenTable(authjsSystem, readOptions('fromAuthjs', tokenTableOptions, options))
}
