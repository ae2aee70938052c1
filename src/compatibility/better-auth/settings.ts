import { ConfigurationError } from '../../errors.ts'
import type { Duration } from '../../options/duration.ts'
import { duration, type OptionTable, option, unchecked } from '../../options/option.ts'
import { readOptions } from '../../options/read-options.ts'
import type { Driver } from '../../postgres/driver.ts'
import { databaseOptions, driverOption, type MigrateMode } from '../../postgres/store-options.ts'
import type { TableNameOptions } from '../../postgres/table-names.ts'
import { type Logger, reliableLogger, silentLogger, stdoutLogger } from '../../session/logger.ts'

/** Settings of `betterAuthStorage`. */
export interface BetterAuthStorageOptions extends TableNameOptions {
  /** Any driver: `fromPg(pool)`, `fromPostgresJs(sql)`, `fromPglite(db)`. */
  readonly database: Driver
  /**
   * Seals values and hashes keys: `BETTER_AUTH_SECRET`, or another text of at least 32 characters. The first of a
   * list is used for what is written; values of the others can still be read.
   */
  readonly secret: string | readonly (string | undefined)[]
  /** What to do about the tables at first use. Defaults to `'auto'`: creates and upgrades them. */
  readonly migrate?: MigrateMode
  /** How long a call may take, including retries. Defaults to `'5s'`. */
  readonly deadline?: Duration
  /** How often expired values are deleted, from the first call on; `'never'` to leave it to others. Defaults to `'10m'`. */
  readonly purgeInterval?: Duration | 'never'
  /** Where log lines go; `false` for nowhere. Defaults to stdout. */
  readonly log?: Logger | false
}

/** What the options mean, in milliseconds and without gaps. */
export interface BetterAuthSettings extends TableNameOptions {
  readonly database: Driver
  readonly secrets: readonly string[]
  readonly migrate: MigrateMode
  readonly deadline: number
  readonly purgeInterval: number
  readonly log: Logger
}

/** The table of sessions is not that of native sessions, so lists and counts tell the two apart. */
const DEFAULT_TABLE = 'better_auth'

const SECRET = 'a text of at least 32 characters, such as process.env.BETTER_AUTH_SECRET, or a list'

const options: OptionTable<
  Omit<BetterAuthSettings, 'database' | 'secrets' | 'log'> & {
    database: Driver | undefined
    secret: readonly string[]
    log: Logger | false | undefined
  }
> = {
  ...databaseOptions,
  database: driverOption,
  secret: {
    ...option(SECRET, [] as readonly string[], readSecrets),
    refusesUndefined: 'Is its environment variable set?',
  },
  purgeInterval: duration('10m', { never: Number.POSITIVE_INFINITY }),
  log: unchecked<Logger | false>('a logger, or false'),
}

/** @throws {ConfigurationError} An option is unknown, missing or wrong; says what to write. */
export function readSettings(given: BetterAuthStorageOptions): BetterAuthSettings {
  const { database, secret, log, ...rest } = readOptions('betterAuthStorage', options, given)
  if (database === undefined) {
    throw new ConfigurationError(
      'betterAuthStorage needs a database, such as { database: fromPg(pool) }.',
    )
  }
  if (secret.length === 0) {
    throw new ConfigurationError(
      `betterAuthStorage needs secret, ${SECRET}. It seals what better-auth stores, which holds tokens in plain text.`,
    )
  }
  return {
    ...rest,
    database,
    secrets: secret,
    tables: { ...rest.tables, session: rest.tables?.session ?? DEFAULT_TABLE },
    log: log === false ? silentLogger : reliableLogger(log ?? stdoutLogger),
  }
}

/** Later secrets may be undefined, so that the environment may lack a previous one. */
function readSecrets(value: unknown, name: string): readonly string[] {
  const [current, ...previous] = [value].flat() as unknown[]
  const secrets = [current, ...previous.filter((secret) => secret !== undefined && secret !== '')]
  return secrets.map((secret) => {
    if (typeof secret === 'string' && secret.length >= 32) return secret
    throw new ConfigurationError(
      `${name} must be ${SECRET}. One was given that is ${typeof secret === 'string' ? `${secret.length} characters long` : 'no text'}. Write: openssl rand -base64 32`,
    )
  })
}
