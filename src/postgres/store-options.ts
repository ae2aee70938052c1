import { ConfigurationError } from '../errors.ts'
import type { Duration } from '../options/duration.ts'
import { whatWasGiven } from '../options/known-clients.ts'
import { duration, flag, type OptionTable, oneOf, option, unchecked } from '../options/option.ts'
import { group } from '../options/read-options.ts'
import type { Driver } from './driver.ts'
import type { TableNameOptions } from './table-names.ts'
import { type JoinedUserOptions, type UserSettings, userOption } from './user/user-settings.ts'

/** What the store does about its tables when it is first used. */
export type MigrateMode = 'auto' | 'check' | 'off'

/** What a `PostgresStore` needs. `createSessions({ database })` makes one of the same settings. */
export interface PostgresStoreOptions extends TableNameOptions {
  readonly driver: Driver
  /** Defaults to `'auto'`: creates or upgrades the tables. */
  readonly migrate?: MigrateMode | undefined
  /** How long a call may take, including the wait for a connection and retries. Defaults to `'5s'`. */
  readonly deadline?: Duration | undefined
  /**
   * Whether concurrent loads, saves, first saves, touches and ends share statements. Defaults to `true`.
   */
  readonly groupCommit?: boolean | undefined
  /**
   * Whether both tables are distributed over several servers by the session's id, as Citus does. Statements
   * then avoid what such an engine refuses, and each is about one session, so none is shared. Defaults to
   * `false`.
   */
  readonly distributed?: boolean | undefined
  /** Reads the signed-in user's row with the session, in the same statement. Default: none is read. */
  readonly user?: UserSettings | undefined
  readonly log?: Log | undefined
}

interface Log {
  info(facts: object, message: string): void
}

/** The options of whatever keeps sessions in PostgreSQL, as `readOptions` gives them. */
export interface DatabaseOptions extends TableNameOptions {
  readonly migrate: MigrateMode
  /** Milliseconds. */
  readonly deadline: number
}

const tableName = (): ReturnType<typeof unchecked<string>> => unchecked<string>('a table name')

export const databaseOptions: OptionTable<DatabaseOptions> = {
  schema: unchecked<string>('a schema name'),
  tables: group({ session: tableName(), sessionData: tableName(), migration: tableName() }),
  migrate: oneOf(['auto', 'check', 'off'], 'auto'),
  deadline: duration('5s'),
}

const DRIVER =
  'a driver, which wraps a client: fromPg(pool) of pg-sessions/pg, fromPostgresJs(sql) or fromPglite(db)'

/** A client or an address in place of a driver would fail only at the first visitor. */
export const driverOption: OptionTable<{ driver: Driver | undefined }>['driver'] = option<
  Driver,
  undefined
>(DRIVER, undefined, (driver, name) => {
  if (typeof Object(driver).withConnection === 'function') return driver as Driver
  throw new ConfigurationError(`${name} must be ${DRIVER}. ${whatWasGiven(driver)}`)
})

/** For stores whose statements have a form for distributed tables. */
export const distributedOption: OptionTable<{ distributed: boolean }> = { distributed: flag(false) }

export const storeOptions: OptionTable<
  DatabaseOptions & {
    driver: Driver | undefined
    groupCommit: boolean
    distributed: boolean
    user: JoinedUserOptions | undefined
    log: Log | undefined
  }
> = {
  ...databaseOptions,
  driver: driverOption,
  groupCommit: flag(true),
  ...distributedOption,
  user: userOption,
  log: unchecked<Log>('a logger'),
}
