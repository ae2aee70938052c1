import type { Codec } from '../codec/codec.ts'
import type { CookieSettings } from '../cookie/cookie-settings.ts'
import { ConfigurationError } from '../errors.ts'
import type { Duration } from '../options/duration.ts'
import type { Driver } from '../postgres/driver.ts'
import type { TokenFormat } from '../session/token.ts'
import type { WaiStoreOptions } from './store-options.ts'
import { WaiStore } from './wai-store.ts'
import { type WaiTokenOptions, waiTokens } from './wai-tokens.ts'

/** What the other service does, to do the same. */
export interface WaiOptions extends Omit<WaiStoreOptions, 'driver'> {
  /** The database that both use, through a driver: `fromPg(pool)`. */
  readonly database: Driver
  /** Keys and values, of the types that the other service has: `cerealCodec({ key, value })`. */
  readonly codec: Codec
  /**
   * The other service's cookie: the name that it gives `withSession`, and the same path and domain,
   * since a browser keeps cookies of another path or domain beside each other.
   */
  readonly cookie: CookieSettings & { readonly name: string }
  readonly keys?: WaiTokenOptions
}

/** Settings for `createSessions`, to be spread. */
export interface WaiSettings {
  readonly store: WaiStore
  readonly tokens: TokenFormat
  readonly codec: Codec
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
export function waiSettings(options: WaiOptions): WaiSettings {
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

const KNOWN: Readonly<Record<keyof WaiOptions, true>> = {
  database: true,
  timeout: true,
  loginTime: true,
  schema: true,
  migrate: true,
  deadline: true,
  codec: true,
  cookie: true,
  keys: true,
}

/** What is left out or misspelt would have the two sides pass each other by without a word. */
function checkOptions(options: Partial<WaiOptions>): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(KNOWN, name))
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `waiSettings knows no option called '${unknown}'. It knows ${Object.keys(KNOWN).join(', ')}; other settings stand beside it in createSessions.`,
    )
  }
  if (typeof options.codec?.encodeKey !== 'function') {
    throw new ConfigurationError(
      'waiSettings needs the types of keys and values: codec: cerealCodec({ key: cereal.string, value: cereal.string }).',
    )
  }
  if (typeof options.cookie?.name !== 'string') {
    throw new ConfigurationError(
      "waiSettings needs the cookie's name, which the other service gives withSession: cookie: { name: 'SESSION' }.",
    )
  }
}
