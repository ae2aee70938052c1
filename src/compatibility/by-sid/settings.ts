import type { Codec } from '../../codec/codec.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { fromPg, type PgPoolLike } from '../../drivers/pg.ts'
import { ConfigurationError } from '../../errors.ts'
import type { Duration } from '../../options/duration.ts'
import { callback, duration, type OptionTable, unchecked } from '../../options/option.ts'
import { readOptions } from '../../options/read-options.ts'
import type { Driver } from '../../postgres/driver.ts'
import { PostgresStore } from '../../postgres/postgres-store.ts'
import {
  type DatabaseOptions,
  databaseOptions,
  driverOption,
  type MigrateMode,
} from '../../postgres/store-options.ts'
import { resolveTableNames, type TableNameOptions } from '../../postgres/table-names.ts'
import { type SealOptions, type SealSettings, sealOption } from '../../sealing/seal-settings.ts'
import { type OpenedStore, sealStore } from '../../sealing/seal-store.ts'
import type { Logger } from '../../session/logger.ts'
import { SessionEventHub } from '../../session/session-events.ts'
import { resolvePolicy, type SessionPolicy } from '../../session/session-policy.ts'
import {
  defaultSettings,
  type SessionLimits,
  type SessionOptions,
  sessionOptions,
} from '../../session/settings.ts'
import type { SessionStore } from '../../store/session-store.ts'
import { type ConnectPgSimpleOptions, withoutFormerNames } from './legacy-options.ts'
import { LiveSessions } from './live-sessions.ts'
import type { OlderSessions } from './older-sessions.ts'
import type { FallbackSetting } from './open-fallback.ts'
import { fallbackOption, openFallback } from './open-fallback.ts'
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
   * How much a session may hold, in bytes of JSON. A save over a limit fails and changes nothing; what a
   * session already holds stays. Defaults to 1 MiB a value, 4 MiB a session and 1000 keys.
   */
  readonly limits?: SessionLimits
  /**
   * Returns the user that a session belongs to, or null for none, so that `listByUser` and
   * `destroyByUser` of `createSessions` find these sessions too. It runs at every save and must only read.
   *
   * Defaults to Passport's login: `session.passport.user`, or its `id` when that is an object.
   */
  readonly userId?: (session: Readonly<Record<string, unknown>>) => string | null | undefined
  /** Encrypts the values of sessions in the database, as in `createSessions`. Defaults to none. */
  readonly seal?: SealSettings
  /** Where log lines go; `false` for nowhere. Defaults to stdout. */
  readonly log?: Logger | false
}

/** Settings of a store in PostgreSQL. */
interface SidDatabaseOptions extends SidCommonOptions, TableNameOptions, ConnectPgSimpleOptions {
  /**
   * Where the sessions from before the switch are: the table of `connect-pg-simple` in the same database,
   * `{ table: 'session' }`, or another store for express-session, `{ store: new RedisStore({ client }) }`. Each is moved
   * here at its next request. Leave it out once all have moved or expired.
   */
  readonly fallback?: FallbackSetting
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
  readonly events: SessionEventHub
  /** A way to all sessions; null where the store knows none. */
  readonly live: LiveSessions | null
  /** Sessions from before the switch, if there are any. */
  readonly older: OlderSessions | null
  readonly codec: Codec
  /** How long sessions live, and when an access is noted. */
  readonly policy: SessionPolicy
  /** Milliseconds; `Infinity` for never. */
  readonly purgeInterval: number
  readonly userId: SidCommonOptions['userId'] | null
}

/** The options as `readOptions` gives them; durations in milliseconds. */
interface SidOptions
  extends DatabaseOptions,
    Pick<
      SessionOptions,
      | 'idleTimeout'
      | 'absoluteTimeout'
      | 'touchInterval'
      | 'purgeInterval'
      | 'codec'
      | 'limits'
      | 'log'
    > {
  readonly userId: SidCommonOptions['userId']
  readonly seal: SealOptions | undefined
  readonly fallback: FallbackSetting | undefined
  readonly pool: PgPoolLike | undefined
  readonly database: Driver | undefined
  readonly store: SessionStore | undefined
}

const never = { never: Number.POSITIVE_INFINITY }

const TABLE: OptionTable<SidOptions> = {
  ...databaseOptions,
  idleTimeout: duration('1d'),
  absoluteTimeout: duration('none', { none: Number.POSITIVE_INFINITY }),
  touchInterval: sessionOptions.touchInterval,
  purgeInterval: duration(defaultSettings.purgeInterval, never),
  codec: sessionOptions.codec,
  limits: sessionOptions.limits,
  log: sessionOptions.log,
  userId: callback<NonNullable<SidCommonOptions['userId']>, undefined>(
    '(session) => session.user ?? null',
    undefined,
  ),
  seal: sealOption,
  fallback: fallbackOption,
  pool: unchecked('a pool of pg'),
  database: driverOption,
  store: unchecked('a store'),
}

/**
 * Reads the options by their table.
 *
 * @param maker - What was called, for messages: `'new PgSessionStore'`.
 * @throws {ConfigurationError} An option is unknown, wrong, or contradicts another; says what to write.
 */
export function resolveSidSettings(maker: string, given: SidStoreOptions): SidSettings {
  const renamed = withoutFormerNames(maker, given)
  checkPlace(maker, renamed)
  const options = readOptions(maker, TABLE, renamed)
  const isPurging = options.purgeInterval !== Number.POSITIVE_INFINITY
  const policy = resolvePolicy({
    ...readOptions(maker, sessionOptions, { tokens: plainTokens }),
    idleTimeout: options.idleTimeout,
    absoluteTimeout: options.absoluteTimeout,
    touchInterval: options.touchInterval,
    limits: options.limits,
    log: options.log,
    ...(isPurging && { purgeInterval: options.purgeInterval }),
  })
  const codec = options.codec ?? jsonCodec
  const events = new SessionEventHub(policy.log)
  const shared = { codec, events, policy, userId: options.userId ?? null }
  return {
    ...openStore(maker, options, renamed as SidDatabaseOptions, shared),
    ...shared,
    purgeInterval: options.purgeInterval,
  }
}

function openStore(
  maker: string,
  options: SidOptions,
  given: SidDatabaseOptions,
  shared: Pick<SidSettings, 'codec' | 'events' | 'policy' | 'userId'>,
): Pick<SidSettings, 'store' | 'live' | 'older'> {
  const { store: own, pool, database, fallback, deadline, migrate, schema, tables } = options
  const sealed = (store: SessionStore): OpenedStore => sealStore(store, options.seal, shared)
  if (own !== undefined) return { store: sealed(own).store, live: null, older: null }
  const driver = pool === undefined ? (database as Driver) : fromPg(checkedPool(maker, pool))
  const { log } = shared.policy
  const settings = { driver, migrate, deadline: given.deadline, log, schema, tables }
  const { store, sealing } = sealed(new PostgresStore(settings))
  const surroundings = { ...shared, driver, store, sealing, deadline, tables: { schema, tables } }
  const live = new LiveSessions(driver, resolveTableNames({ schema, tables }), deadline)
  return { store, live, older: openFallback(fallback, surroundings) }
}

function checkedPool(maker: string, pool: PgPoolLike): PgPoolLike {
  if (typeof pool?.connect === 'function' && typeof pool.on === 'function') return pool
  throw new ConfigurationError(
    `${maker} takes a pool of pg as pool: new Pool({ connectionString }). For another client write database: fromPostgresJs(sql) or fromPglite(db).`,
  )
}

const PLACES = ['pool', 'database', 'store'] as const

/** @throws {ConfigurationError} There is not exactly one place, or an option of another place. */
function checkPlace(maker: string, options: SidStoreOptions): void {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  const places = PLACES.filter((place) => given.some(([name]) => name === place))
  if (places.length !== 1) {
    throw new ConfigurationError(
      `${maker} needs exactly one of pool, database and store, such as { pool: new Pool() }; it was given ${places.join(' and ') || 'none'}.`,
    )
  }
  if (places[0] !== 'store') return
  const foreign = given.find(
    ([name]) => name === 'fallback' || Object.hasOwn(databaseOptions, name),
  )
  if (foreign === undefined) return
  throw new ConfigurationError(
    `${foreign[0]} is an option of PostgreSQL, and this store was given its own. Leave it out, or pass it to the store.`,
  )
}
