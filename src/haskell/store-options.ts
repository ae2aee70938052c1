import { ConfigurationError } from '../errors.ts'
import { type Duration, formatDuration, parseDuration } from '../options/duration.ts'
import { duration, type OptionTable, oneOf, option } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import type { Driver } from '../postgres/driver.ts'
import { databaseOptions, driverOption } from '../postgres/store-options.ts'
import { type WaiTableNames, waiTableNames } from './wai-table-names.ts'

/** What a store does about the original's tables at first use. */
export type WaiTablesMode = 'auto' | 'check' | 'off'

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
  readonly loginTime?: Duration | undefined
  /** The database schema that holds the tables. Defaults to `public`. */
  readonly schema?: string | undefined
  /**
   * What to do about the tables at first use: `'auto'` creates what is missing, as the original would
   * with `storeSettingsCreateTable`; `'check'` only looks for them; `'off'` does nothing. Defaults to
   * `'auto'`.
   */
  readonly migrate?: WaiTablesMode | undefined
  /** How long a call may take, including the wait for a connection and retries. Defaults to `'5s'`. */
  readonly deadline?: Duration | undefined
}

/** The options as they are read; durations in milliseconds. */
export interface WaiStoreSettings {
  readonly driver: Driver
  readonly timeout: number
  readonly loginTime: number
  readonly names: WaiTableNames
  readonly mode: WaiTablesMode
  readonly deadline: number
}

interface ReadOptions {
  readonly driver: Driver | undefined
  readonly timeout: number | undefined
  readonly loginTime: number
  readonly schema: WaiTableNames
  readonly migrate: WaiTablesMode
  readonly deadline: number
}

/** The timeout of wai-session-postgresql, which counts whole seconds. */
export const waiTimeout: OptionTable<{ it: number | undefined }>['it'] = option<number, undefined>(
  "whole seconds, such as '30m' or '1h'",
  undefined,
  (timeout, name) => wholeSeconds(timeout as Duration, name),
)

const TABLE: OptionTable<ReadOptions> = {
  driver: driverOption,
  timeout: waiTimeout,
  loginTime: duration('5s'),
  schema: option('a schema name', waiTableNames('public'), (schema) =>
    waiTableNames(schema as string),
  ),
  migrate: oneOf(['auto', 'check', 'off'], 'auto'),
  deadline: databaseOptions.deadline,
}

/** @throws {ConfigurationError} If an option is missing, unknown or wrong. */
export function readStoreOptions(options: WaiStoreOptions): WaiStoreSettings {
  const { driver, timeout, schema, migrate, ...rest } = readOptions('new WaiStore', TABLE, options)
  return {
    ...rest,
    driver: driver ?? (driverOption.read(driver, 'driver') as Driver),
    timeout: timeout ?? wholeSeconds(options.timeout, 'timeout'),
    names: schema,
    mode: migrate,
  }
}

function wholeSeconds(timeout: Duration, name: string): number {
  const milliseconds = parseDuration(name, timeout)
  if (milliseconds % 1000 === 0) return milliseconds
  const rounded = formatDuration(Math.max(1, Math.round(milliseconds / 1000)) * 1000)
  throw new ConfigurationError(
    `${name} is '${timeout}', and wai-session-postgresql counts whole seconds: write '${rounded}'.`,
  )
}
