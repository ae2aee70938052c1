import type { Codec } from '../../codec/codec.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { fromPg, type PgPoolLike } from '../../drivers/pg.ts'
import { ConfigurationError } from '../../errors.ts'
import type { OldTableOptions } from '../../import/connect-pg-simple/old-table.ts'
import type { Driver } from '../../postgres/driver.ts'
import { type MigrateMode, PostgresStore } from '../../postgres/postgres-store.ts'
import { resolveTableNames, type TableNameOptions } from '../../postgres/table-names.ts'
import { type Duration, parseDuration } from '../../session/duration.ts'
import type { Logger } from '../../session/logger.ts'
import { resolveSettings, type SessionPolicy } from '../../session/settings.ts'
import type { SessionStore } from '../../store/session-store.ts'
import { type ConnectPgSimpleOptions, withoutFormerNames } from './legacy-options.ts'
import { LiveSessions } from './live-sessions.ts'
import type { OlderSessions } from './older-sessions.ts'
import { openFallback } from './open-fallback.ts'
import { plainTokens } from './sid-identity.ts'

/** Settings of a store for another session middleware, wherever it keeps the sessions. */
export interface SidCommonOptions {
  /**
   * How long a session lives on without being used when its cookie has no expiry of its own. Defaults
   * to `'1d'`, as in other stores for these middlewares.
   */
  readonly idleTimeout?: Duration
  /** How long a session lives at most, from its creation. Defaults to `'none'`. */
  readonly absoluteTimeout?: Duration | 'none'
  /**
   * An access is noted when the last one noted is this long ago. Defaults to a 60th of the session's
   * lifetime, between a second and an hour.
   */
  readonly touchInterval?: Duration
  /** How often expired sessions are deleted, from the first call on; `'never'` to leave it to others. Defaults to `'10m'`. */
  readonly purgeInterval?: Duration | 'never'
  /** How keys and values become bytes; the same as in `createSessions` beside it. Defaults to JSON. */
  readonly codec?: Codec
  /**
   * Whom a session belongs to, told from what it holds; null for nobody. With it, `listByUser` and
   * `destroyByUser` of `createSessions` find these sessions too. It runs at every save and should do
   * nothing but read.
   */
  readonly userId?: (session: Readonly<Record<string, unknown>>) => string | null | undefined
  /** Where log lines go; `false` for nowhere. Defaults to stdout. */
  readonly log?: Logger | false
}

/** Settings of a store in PostgreSQL. */
interface SidDatabaseOptions extends SidCommonOptions, TableNameOptions, ConnectPgSimpleOptions {
  /**
   * The table of `connect-pg-simple` that holds the sessions of before the switch, in the same database:
   * `{ table: 'session' }`. Each is moved here at its next request. Leave it out once the table is empty.
   */
  readonly fallback?: OldTableOptions
  /** What to do about the tables at first use. Defaults to `'auto'`: creates and upgrades them. */
  readonly migrate?: MigrateMode
  /** How long a call may take. Defaults to `'5s'`. */
  readonly deadline?: Duration
}

/** What a store for another session middleware is made of: a pool, a database or a store. */
export type SidStoreOptions =
  /** A pool of `pg`. It stays yours: it is never closed. */
  | (SidDatabaseOptions & { readonly pool: PgPoolLike })
  /** Any driver: `fromPg(pool)`, `fromPostgresJs(sql)`, `fromPglite(db)`. */
  | (SidDatabaseOptions & { readonly database: Driver })
  /** Any store, such as a `MemoryStore` for tests. */
  | (SidCommonOptions & { readonly store: SessionStore })

/** What the options mean, in milliseconds and without gaps. */
export interface SidSettings {
  readonly store: SessionStore
  /** A way to all sessions; null where the store knows none. */
  readonly live: LiveSessions | null
  /** Sessions of before the switch, when there are any. */
  readonly older: OlderSessions | null
  readonly codec: Codec
  /** How long sessions live, and when an access is noted. */
  readonly policy: SessionPolicy
  /** Milliseconds; `Infinity` for never. */
  readonly purgeInterval: number
  readonly userId: SidCommonOptions['userId'] | null
}

/**
 * Checks the options and fills the gaps.
 *
 * @param maker - What was called, for messages: `'new PgSessionStore'`.
 * @throws {ConfigurationError} An option is unknown, wrong, or contradicts another; says what to write.
 */
export function resolveSidSettings(maker: string, given: SidStoreOptions): SidSettings {
  const options = withoutFormerNames(maker, given)
  refuseUnknown(maker, options)
  const { idleTimeout = '1d', absoluteTimeout = 'none', touchInterval, purgeInterval } = options
  const policy = resolveSettings({
    idleTimeout,
    absoluteTimeout,
    ...(touchInterval === undefined ? {} : { touchInterval }),
    ...(purgeInterval === undefined || purgeInterval === 'never' ? {} : { purgeInterval }),
    ...(options.log === undefined ? {} : { log: options.log }),
    tokens: plainTokens,
  })
  if (options.userId !== undefined && typeof options.userId !== 'function') {
    throw new ConfigurationError(
      'userId must be a function, such as: userId: (session) => session.user ?? null',
    )
  }
  const shared = { codec: options.codec ?? jsonCodec, policy, userId: options.userId ?? null }
  return {
    ...openStore(maker, options, shared),
    ...shared,
    purgeInterval: purgeInterval === 'never' ? Number.POSITIVE_INFINITY : policy.purgeInterval,
  }
}

function openStore(
  maker: string,
  options: SidStoreOptions,
  shared: Pick<SidSettings, 'codec' | 'policy' | 'userId'>,
): Pick<SidSettings, 'store' | 'live' | 'older'> {
  if (isStoreGiven(options)) return { store: options.store, live: null, older: null }
  const driver =
    'pool' in options && options.pool !== undefined
      ? fromPg(checkedPool(maker, options.pool))
      : (options as { readonly database: Driver }).database
  const { migrate = 'auto', schema, tables, fallback } = options
  if (migrate !== 'auto' && migrate !== 'check' && migrate !== 'off') {
    throw new ConfigurationError(
      `migrate must be 'auto', 'check' or 'off'; it is ${JSON.stringify(migrate)}.`,
    )
  }
  const deadline = parseDuration('deadline', options.deadline ?? '5s')
  const { log } = shared.policy
  const store = new PostgresStore({ driver, migrate, deadline, log, schema, tables })
  const surroundings = { ...shared, driver, store, deadline, tables: { schema, tables } }
  const live = new LiveSessions(driver, resolveTableNames({ schema, tables }), deadline)
  return { store, live, older: openFallback(fallback, surroundings) }
}

function isStoreGiven(
  options: SidStoreOptions,
): options is SidCommonOptions & { readonly store: SessionStore } {
  return 'store' in options && options.store !== undefined
}

function checkedPool(maker: string, pool: PgPoolLike): PgPoolLike {
  if (typeof pool?.connect === 'function' && typeof pool.on === 'function') return pool
  throw new ConfigurationError(
    `${maker} takes a pool of pg as pool: new Pool({ connectionString }). For another client write database: fromPostgresJs(sql) or fromPglite(db).`,
  )
}

const COMMON: Record<keyof SidCommonOptions, true> = {
  absoluteTimeout: true,
  codec: true,
  idleTimeout: true,
  log: true,
  purgeInterval: true,
  touchInterval: true,
  userId: true,
}

type OfDatabase = Exclude<
  keyof SidDatabaseOptions,
  keyof SidCommonOptions | keyof ConnectPgSimpleOptions
>

const OF_DATABASE: Record<OfDatabase, true> = {
  deadline: true,
  fallback: true,
  migrate: true,
  schema: true,
  tables: true,
}

const PLACES = ['pool', 'database', 'store']

/** A misspelt option would silently leave its default in force. */
function refuseUnknown(maker: string, options: SidStoreOptions): void {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  const places = given.map(([name]) => name).filter((name) => PLACES.includes(name))
  if (places.length !== 1) {
    throw new ConfigurationError(
      `${maker} needs exactly one of pool, database and store, such as { pool: new Pool() }; it was given ${places.join(' and ') || 'none'}.`,
    )
  }
  for (const [name] of given) {
    if (PLACES.includes(name) || name in COMMON) continue
    if (!(name in OF_DATABASE)) {
      throw new ConfigurationError(
        `${maker} knows no option called '${name}'. It knows ${[...PLACES, ...Object.keys(COMMON), ...Object.keys(OF_DATABASE)].sort().join(', ')}.`,
      )
    }
    if (places[0] === 'store') {
      throw new ConfigurationError(
        `${name} is an option of PostgreSQL, and this one has a store of its own. Leave it out, or give it to the store.`,
      )
    }
  }
}
