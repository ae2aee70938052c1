import { ConfigurationError } from '../errors.ts'
import { AuthStorage } from './better-auth/auth-storage.ts'
import { type BetterAuthStorageOptions, readSettings } from './better-auth/settings.ts'

export type { BetterAuthStorageOptions } from './better-auth/settings.ts'

/** A secondary storage, as better-auth 1.7 asks for it. */
export interface BetterAuthStorage {
  /** Gives a live value; null if there is none. */
  readonly get: (key: string) => Promise<string | null>
  /** Stores a value for `ttl` seconds; without a ttl, until it is deleted. A `ttl` of zero or less deletes it. */
  readonly set: (key: string, value: string, ttl?: number) => Promise<void>
  /** Gives a live value to exactly one caller, and deletes it; null if there is none. */
  readonly getAndDelete: (key: string) => Promise<string | null>
  /** Counts up by one and gives the count. A counter lives for `ttl` seconds from its first count. */
  readonly increment: (key: string, ttl: number) => Promise<number>
  /** Deletes a value. It is not an error when there is none. */
  readonly delete: (key: string) => Promise<void>
  /** Stops deleting expired values and takes no further calls. A pool stays open. */
  readonly close: () => Promise<void>
}

/**
 * Makes a secondary storage for better-auth in PostgreSQL, which keeps sessions correct under concurrency.
 *
 * Each call is one guarded statement. The keys are hashed and the values sealed, since both hold session tokens.
 * The list of a user's sessions is read from the sessions, so concurrent sign-ins lose none. An update of a session
 * writes the fields that it has changed, and brings no ended session back. A database that cannot be asked is an
 * error, and never a session that is missing.
 *
 * The tables are those of `createSessions`, under names of their own: `sessions.better_auth` by default. So
 * `createSessions({ database, tables: { session: 'better_auth' } })` lists and ends better-auth's sessions, also in a
 * transaction of yours.
 *
 * @example
 * ```ts
 * import { betterAuthStorage } from 'pg-sessions/better-auth'
 *
 * const secret = process.env.BETTER_AUTH_SECRET ?? ''
 * const secondaryStorage = betterAuthStorage({ database: fromPg(pool), secret })
 * // betterAuth({ secret, secondaryStorage, database: pool, … })
 * ```
 *
 * @throws {ConfigurationError} An option is unknown, missing or wrong; says what to write.
 */
export function betterAuthStorage(options: BetterAuthStorageOptions): BetterAuthStorage {
  const storage = new AuthStorage(readSettings(options))

  // better-auth takes functions out of the storage, so they must not ask for `this`.
  return {
    get: (key) => storage.get(key),
    async set(key, value, ttl) {
      checkText(value)
      const lifetime = ttl === undefined ? Number.POSITIVE_INFINITY : milliseconds('set', ttl)
      return lifetime > 0 ? storage.set(key, value, lifetime) : storage.delete(key)
    },
    getAndDelete: (key) => storage.getAndDelete(key),
    increment: async (key, ttl) => storage.increment(key, milliseconds('increment', ttl)),
    delete: (key) => storage.delete(key),
    close: () => storage.close(),
  }
}

function checkText(value: unknown): asserts value is string {
  if (typeof value === 'string') return
  throw new ConfigurationError(
    `set of betterAuthStorage takes a text; it was given ${typeof value}.`,
  )
}

/** A time to live that is not a number would keep a value for ever. */
function milliseconds(method: string, ttl: number): number {
  if (typeof ttl === 'number' && Number.isFinite(ttl)) return ttl * 1000
  throw new ConfigurationError(
    `${method} of betterAuthStorage takes a ttl in seconds; it is ${String(ttl)}.`,
  )
}
