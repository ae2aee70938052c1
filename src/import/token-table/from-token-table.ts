import { ConfigurationError } from '../../errors.ts'
import { type Duration, formatDuration } from '../../options/duration.ts'
import { duration, type Option, type OptionTable, option, unchecked } from '../../options/option.ts'
import { group } from '../../options/read-options.ts'
import type { Driver } from '../../postgres/driver.ts'
import {
  type DatabaseOptions,
  databaseOptions,
  driverOption,
  type MigrateMode,
} from '../../postgres/store-options.ts'
import { resolveTableNames, type TableNameOptions } from '../../postgres/table-names.ts'
import { type SecretOptions, secretOptions } from '../../session/secret-options.ts'
import { createTokens, type TokenFormat } from '../../session/token.ts'
import type { PresentedToken, SessionStore } from '../../store/session-store.ts'
import type { OldToken, OldTokens } from './old-tokens.ts'
import { resolveTokenTable, type TokenColumns } from './token-table.ts'
import { TokenTableFallback } from './token-table-fallback.ts'
import { TokenTableStore } from './token-table-store.ts'

/** Options that all makers of this kind have. */
export interface FromTokenTableOptions extends TableNameOptions {
  /** The database that holds the tables of both, through a driver: `fromPg(pool)`. */
  readonly database: Driver
  /** The other library's table of sessions. */
  readonly table?: string
  /** The schema of that table. By default the table is found on the search path. */
  readonly tableSchema?: string
  /** As in `createSessions`. */
  readonly migrate?: MigrateMode
  /** As in `createSessions`. */
  readonly deadline?: Duration
  /** As in `createSessions`: from the move to the end of a session at the latest. Defaults to `'30d'`. */
  readonly absoluteTimeout?: Duration | 'none'
  /** As in `createSessions`: makes the secrets of the tokens that take the place of the old ones. */
  readonly generateSecret?: () => string
  /** As in `createSessions`. Old tokens are recognized without it, until they are replaced. */
  readonly pepper?: string | readonly string[]
}

/** Settings for `createSessions`, to be spread. */
export interface FromTokenTableSettings {
  readonly store: SessionStore
  readonly tokens: TokenFormat
  readonly absoluteTimeout: Duration | 'none'
  readonly cookie: { readonly name: string }
}

/** What one library is. */
export interface TokenSystem {
  /** The maker in messages. */
  readonly maker: string
  /** The library in messages. */
  readonly name: string
  readonly table: string
  readonly columns: TokenColumns
  readonly cookie: string
  readonly tokens: OldTokens
  /** Milliseconds from the creation to the end, where no column holds the end. */
  readonly lifetime?: number | undefined
}

/** The options as `readOptions` gives them. */
export interface TokenTableValues extends DatabaseOptions, SecretOptions {
  readonly database: Driver | undefined
  readonly table: string | undefined
  readonly tableSchema: string | undefined
  readonly columns: Partial<TokenColumns>
  readonly absoluteTimeout: number | undefined
}

const column = (): ReturnType<typeof unchecked<string>> => unchecked<string>('a column name')

export const tokenTableOptions: OptionTable<TokenTableValues> = {
  ...databaseOptions,
  ...secretOptions,
  database: driverOption,
  table: unchecked<string>('a table name'),
  tableSchema: unchecked<string>('a schema name'),
  columns: group<Partial<TokenColumns>>({
    token: column(),
    secretHash: column(),
    userId: column(),
    expiresAt: column(),
    createdAt: column(),
  } as OptionTable<Partial<TokenColumns>>),
  absoluteTimeout: duration(undefined, { none: Number.POSITIVE_INFINITY }),
}

/** One secret, or several of which the first is the current one. */
export const signingSecrets: Option<readonly string[] | undefined> = option<
  readonly string[],
  undefined
>('the secret of better-auth, or a list of them', undefined, (value, name) => {
  const secrets = [value].flat()
  if (
    secrets.length > 0 &&
    secrets.every((secret) => typeof secret === 'string' && secret !== '')
  ) {
    return secrets as string[]
  }
  throw new ConfigurationError(`${name} must be the secret of better-auth, or a list of them.`)
})

const MONTH = 30 * 86_400_000

/**
 * Makes the settings.
 *
 * @throws {ConfigurationError} An option is wrong; says what to write.
 */
export function fromTokenTable(
  { maker, name, cookie, tokens, lifetime, ...defaults }: TokenSystem,
  read: TokenTableValues,
): FromTokenTableSettings {
  const { database: driver, schema, tables, deadline, absoluteTimeout = MONTH } = read
  if (driver === undefined) {
    throw new ConfigurationError(`${maker} needs a database, such as { database: fromPg(pool) }.`)
  }
  const named = Object.fromEntries(
    Object.entries(read.columns).filter(([, column]) => column !== undefined),
  )
  const table = resolveTokenTable({
    system: name,
    table: read.table ?? defaults.table,
    schema: read.tableSchema,
    columns: { ...defaults.columns, ...named },
    tokens,
    lifetime,
  })
  const names = resolveTableNames({ schema, tables })
  const fallback = new TokenTableFallback({ driver, deadline, names, table, absoluteTimeout })
  const ours = createTokens({ generateSecret: read.generateSecret, peppers: read.pepper })
  // Not in the proof itself: a proof holds nothing but hashes wherever it may turn up.
  const shown = new WeakMap<PresentedToken, OldToken>()
  const { migrate } = read
  const storeOptions = { driver, deadline: formatDuration(deadline), migrate, schema, tables }
  return {
    store: new TokenTableStore(storeOptions, fallback, (proof) => shown.get(proof)),
    tokens: {
      issue: ours.issue,
      reissue: ours.reissue,
      read(text) {
        const own = ours.read(text)
        if (own !== null) return own
        const old = tokens.read(text)
        if (old !== null) shown.set(old.proof, old)
        return old?.proof ?? null
      },
    },
    absoluteTimeout:
      absoluteTimeout === Number.POSITIVE_INFINITY ? 'none' : formatDuration(absoluteTimeout),
    cookie: { name: cookie },
  }
}
