import type { Codec } from '../codec/codec.ts'
import type { CookieSettings } from '../cookie/cookie-settings.ts'
import { ConfigurationError } from '../errors.ts'
import type { Duration } from '../options/duration.ts'
import { type OptionTable, unchecked } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import type { Driver } from '../postgres/driver.ts'
import { driverOption } from '../postgres/store-options.ts'
import type { TokenFormat } from '../session/token.ts'
import type { WaiStoreOptions } from './store-options.ts'
import { WaiStore } from './wai-store.ts'
import { type WaiTokenOptions, waiTokens } from './wai-tokens.ts'

/** What the other service does, to do the same. */
export interface WaiOptions<Key extends string = string, Value = unknown>
  extends Omit<WaiStoreOptions, 'driver'> {
  /** The database that both use, through a driver: `fromPg(pool)`. */
  readonly database: Driver
  /** Keys and values, of the types that the other service has: `cerealCodec({ key, value })`. */
  readonly codec: Codec<Key, Value>
  /**
   * The other service's cookie: the name that it gives `withSession`, and the same path and domain,
   * since a browser keeps cookies of another path or domain beside each other.
   */
  readonly cookie: CookieSettings & { readonly name: string }
  readonly keys?: WaiTokenOptions
}

/** Settings for `createSessions`, to be spread. */
export interface WaiSettings<Key extends string = string, Value = unknown> {
  readonly store: WaiStore
  readonly tokens: TokenFormat
  readonly codec: Codec<Key, Value>
  readonly cookie: CookieSettings
  readonly idleTimeout: Duration
  readonly absoluteTimeout: 'none'
  readonly touchInterval: Duration
}

/**
 * All settings for sessions that are shared live with a service on wai-session-postgresql: its tables,
 * its cookie, its keys, its timeout.
 *
 * Accesses are noted as often as the original notes them, once in each second that has one, so that
 * neither side ends a session early. Of several cookies of the name the first counts, as there. Leave
 * the cookie without an expiry there: it is sent here only when the key changes.
 *
 * @throws {ConfigurationError} An option is wrong; says what to write.
 * @example
 * ```ts
 * import { createSessions } from 'pg-sessions'
 * import { fromPg } from 'pg-sessions/pg'
 * import { cereal, cerealCodec } from 'pg-sessions/haskell/cereal'
 * import { waiSettings } from 'pg-sessions/haskell'
 *
 * const sessions = createSessions({
 *   ...waiSettings({
 *     database: fromPg(pool),
 *     timeout: '1h',
 *     cookie: { name: 'SESSION' },
 *     codec: cerealCodec({ key: cereal.string, value: cereal.string }),
 *   }),
 *   log: false,
 * })
 * ```
 */
export function waiSettings<Key extends string, Value>(
  options: WaiOptions<Key, Value>,
): WaiSettings<Key, Value> {
  checkOptions(options)
  const { database, codec, cookie, keys, ...storeOptions } = options
  return {
    store: new WaiStore({ ...storeOptions, driver: database }),
    tokens: waiTokens(keys),
    codec,
    cookie: { duplicates: 'first', ...cookie },
    idleTimeout: options.timeout,
    absoluteTimeout: 'none',
    touchInterval: '500ms',
  }
}

/** The store, the tokens and the cookie check what they are given. */
const NAMES: OptionTable<Record<keyof WaiOptions<string, unknown>, unknown>> = {
  database: unchecked('a driver'),
  timeout: unchecked('a duration'),
  loginTime: unchecked('a duration'),
  schema: unchecked('a schema name'),
  migrate: unchecked('a mode'),
  deadline: unchecked('a duration'),
  codec: unchecked('a codec'),
  cookie: unchecked('an object'),
  keys: unchecked('an object'),
}

/** With a missing or misspelled option, each side would silently pass over the other's sessions. */
function checkOptions(options: WaiOptions<string, unknown>): void {
  const { database, codec, cookie } = readOptions('waiSettings', NAMES, options) as Partial<
    WaiOptions<string, unknown>
  >
  driverOption.read(database, 'database')
  if (typeof codec?.encodeKey !== 'function') {
    throw new ConfigurationError(
      'waiSettings needs the types of keys and values: codec: cerealCodec({ key: cereal.string, value: cereal.string }).',
    )
  }
  if (typeof cookie?.name !== 'string') {
    throw new ConfigurationError(
      "waiSettings needs the cookie's name, which the other service gives withSession: cookie: { name: 'SESSION' }.",
    )
  }
}
