import { ConfigurationError } from '../errors.ts'
import type { OptionTable } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import {
  type FromTokenTableOptions,
  type FromTokenTableSettings,
  fromTokenTable,
  signingSecrets,
  type TokenTableValues,
  tokenTableOptions,
} from './token-table/from-token-table.ts'
import { betterAuthSystem } from './token-table/systems.ts'

/** Where better-auth keeps its sessions. */
export interface FromBetterAuthOptions extends FromTokenTableOptions {
  /** The `secret` of better-auth, which signs its cookies, or a list with previous ones. */
  readonly secret: string | readonly string[]
  /** Columns that have other names than better-auth gives them. */
  readonly columns?: {
    readonly token?: string
    readonly userId?: string
    readonly expiresAt?: string
    readonly createdAt?: string
  }
}

const TABLE: OptionTable<TokenTableValues & { secret: readonly string[] | undefined }> = {
  ...tokenTableOptions,
  secret: signingSecrets,
}

/**
 * Settings for sessions that take over those of better-auth, one by one, as their users return.
 *
 * A browser that presents better-auth's cookie stays signed in as the same user, and is given a token of ours with
 * that response, under the same name. Its row leaves better-auth's table in the same statement, so nothing that
 * ended comes back. A user's other sessions move before you list or end them. `pg-sessions import better-auth`
 * moves the rest. Sessions in which an administrator impersonates a user don't move.
 *
 * @throws {ConfigurationError} An option is wrong; says what to write.
 * @example
 * ```ts
 * import { createSessions } from 'pg-sessions'
 * import { fromBetterAuth } from 'pg-sessions/import'
 * import { fromPg } from 'pg-sessions/pg'
 *
 * const secret = process.env['BETTER_AUTH_SECRET'] ?? ''
 * const sessions = createSessions({ ...fromBetterAuth({ database: fromPg(pool), secret }), idleTimeout: '7d' })
 * ```
 */
export function fromBetterAuth(options: FromBetterAuthOptions): FromTokenTableSettings {
  const read = readOptions('fromBetterAuth', TABLE, options)
  if (read.secret === undefined) {
    throw new ConfigurationError(
      'fromBetterAuth needs the secret of better-auth, which signs its cookies: { secret: process.env.BETTER_AUTH_SECRET }.',
    )
  }
  return fromTokenTable(betterAuthSystem(read.secret), read)
}
