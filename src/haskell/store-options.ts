import { ConfigurationError } from '../errors.ts'
import { type Duration, formatDuration, parseDuration } from '../options/duration.ts'
import type { Driver } from '../postgres/driver.ts'
import type { WaiTablesMode } from './prepared-tables.ts'

/** What a `WaiStore` needs. */
export interface WaiStoreOptions {
  readonly driver: Driver
  /**
   * How long a session lives without being used, in whole seconds: the same as the other service's
   * `storeSettingsSessionTimeout`, since each deletes what is too old by its own.
   */
  readonly timeout: Duration
  /**
   * How long a handler of the other service may take from `clearSession` to its response. Until a flag has
   * stood this long, its session is read-only here: the new key belongs to that login. Defaults to `'5s'`.
   */
  readonly loginTime?: Duration
  /** The database schema that holds the tables. Defaults to `public`. */
  readonly schema?: string
  /**
   * What to do about the tables at first use: `'auto'` creates what is missing, as the original would
   * with `storeSettingsCreateTable`; `'check'` only looks for them; `'off'` does nothing. Defaults to
   * `'auto'`.
   */
  readonly migrate?: WaiTablesMode
  /** How long a call may take, waiting for a connection and repeats included. Defaults to `'5s'`. */
  readonly deadline?: Duration
}

/** @throws {ConfigurationError} It has parts of a second. */
export function wholeSeconds(timeout: Duration): number {
  const milliseconds = parseDuration('timeout', timeout)
  if (milliseconds % 1000 === 0) return milliseconds
  const rounded = formatDuration(Math.max(1, Math.round(milliseconds / 1000)) * 1000)
  throw new ConfigurationError(
    `timeout is '${timeout}', and wai-session-postgresql counts whole seconds: write '${rounded}'.`,
  )
}

/** @throws {ConfigurationError} It is none of the modes. */
export function checkedMode(mode: WaiTablesMode): WaiTablesMode {
  if (mode === 'auto' || mode === 'check' || mode === 'off') return mode
  throw new ConfigurationError(
    `migrate must be 'auto', 'check' or 'off'; it is ${JSON.stringify(mode)}.`,
  )
}
