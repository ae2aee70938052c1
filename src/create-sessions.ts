import { jsonCodec } from './codec/json-codec.ts'
import { type CookieSettings, resolveCookie } from './cookie/cookie-settings.ts'
import { ConfigurationError } from './errors.ts'
import type { Driver } from './postgres/driver.ts'
import { type MigrateMode, PostgresStore } from './postgres/postgres-store.ts'
import type { TableNameOptions } from './postgres/table-names.ts'
import { type Duration, formatDuration, parseDuration } from './session/duration.ts'
import { observeStore } from './session/observed-store.ts'
import type { DefaultData } from './session/session.ts'
import type { SessionContext } from './session/session-context.ts'
import { SessionEventHub } from './session/session-events.ts'
import {
  defaultSettings,
  resolveSettings,
  type SessionPolicy,
  type SessionSettings,
} from './session/settings.ts'
import { UpdateQueue } from './session/update-queue.ts'
import { Sessions } from './sessions.ts'
import type { SessionStore } from './store/session-store.ts'

/** Settings of any sessions: their lifetimes and limits, and their cookie. */
export interface CommonSettings extends SessionSettings {
  /** The cookie's name and attributes. Defaults to `__Host-id; Secure; HttpOnly; SameSite=Lax`. */
  readonly cookie?: CookieSettings
}

/** Settings of sessions in PostgreSQL. */
export interface DatabaseSettings extends CommonSettings, TableNameOptions {
  /** The database, through a driver: `fromPg(pool)`, `fromPostgresJs(sql)`, `fromPglite(db)`. */
  readonly database: Driver
  /**
   * What to do about the tables at first use: `'auto'` creates and upgrades them, `'check'` only checks
   * their version, `'off'` does nothing. Defaults to `'auto'`.
   */
  readonly migrate?: MigrateMode
  /** How long a call may take, waiting for a connection and repeats included. Defaults to `'5s'`. */
  readonly deadline?: Duration
}

/** Settings of sessions in a store of your own choice. */
export interface StoreSettings extends CommonSettings {
  readonly store: SessionStore
}

/**
 * Makes sessions, kept in PostgreSQL or in another store.
 *
 * All settings are checked here, so that a wrong one never waits for the first visitor. Nothing is asked
 * of the database yet; `await sessions.ready()` does that at start if you like.
 *
 * @throws {ConfigurationError} A setting is unknown, wrong, or contradicts another; says what to write.
 * @example
 * ```ts
 * import { createSessions } from 'pg-sessions'
 * import { fromPg } from 'pg-sessions/pg'
 *
 * const sessions = createSessions<{ basket: string[] }>({ database: fromPg(pool), idleTimeout: '1h' })
 * ```
 */
export function createSessions<Data extends object = DefaultData>(
  settings: DatabaseSettings | StoreSettings,
): Sessions<Data> {
  refuseUnknown(settings)
  const policy = resolveSettings(settings)
  const cookie = resolveCookie(settings.cookie)
  if (!cookie.secure) {
    policy.log.warn(
      { cookie: cookie.name },
      'session cookies also travel over plain http; use this for development on localhost only',
    )
  }
  const events = new SessionEventHub(policy.log)
  const background = new Set<Promise<unknown>>()
  const store = openStore(settings, policy.log)
  checkDemands(store, policy)
  const context: SessionContext = {
    store: observeStore(store, events),
    codec: settings.codec ?? jsonCodec,
    tokens: policy.tokens,
    policy,
    events,
    updates: new UpdateQueue(),
    inBackground(work) {
      // What fails has been told by an event; nobody waits for the work itself.
      const settled = work.catch(() => undefined).finally(() => background.delete(settled))
      background.add(settled)
    },
  }
  return new Sessions<Data>(context, cookie, background)
}

/** A client or an address in the place of a driver would fail at the first visitor only. */
function refuseOtherThanDriver(database: unknown): asserts database is Driver {
  if (typeof Object(database).withConnection === 'function') return
  throw new ConfigurationError(
    'database must be a driver, which is made of a client: { database: fromPg(pool) } with fromPg of pg-sessions/pg, fromPostgresJs(sql) or fromPglite(db).',
  )
}

/** So would a class, or the driver itself, in the place of a store. */
function refuseOtherThanStore(store: object): void {
  if ('load' in store) return
  throw new ConfigurationError(
    'store must be a store, such as { store: new MemoryStore() }. A driver goes with the setting database.',
  )
}

function openStore(
  settings: Partial<DatabaseSettings & StoreSettings>,
  log: SessionContext['policy']['log'],
): SessionStore {
  if (settings.store !== undefined) {
    refuseOtherThanStore(settings.store)
    return settings.store
  }
  const deadline = parseDuration('deadline', settings.deadline ?? defaultSettings.deadline)
  const { database, migrate = defaultSettings.migrate, schema, tables } = settings
  refuseOtherThanDriver(database)
  if (migrate !== 'auto' && migrate !== 'check' && migrate !== 'off') {
    throw new ConfigurationError(
      `migrate must be 'auto', 'check' or 'off'; it is ${JSON.stringify(migrate)}.`,
    )
  }
  return new PostgresStore({ driver: database, migrate, deadline, log, schema, tables })
}

/** Some stores keep records that others read too, and so cannot follow every setting. */
function checkDemands({ name, demands }: SessionStore, policy: SessionPolicy): void {
  if (demands === undefined) return
  const checks = [
    ['idleTimeout', policy.idleTimeout, demands.idleTimeout, ''],
    ['absoluteTimeout', policy.absoluteTimeout, demands.absoluteTimeout, 'none'],
    ['renewInterval', policy.renewal.interval, demands.renewInterval, 'never'],
  ] as const
  for (const [setting, value, demanded, endless] of checks) {
    if (value === demanded) continue
    const text = demanded === Number.POSITIVE_INFINITY ? endless : formatDuration(demanded)
    throw new ConfigurationError(
      `The store '${name}' works with ${setting}: '${text}' only. Write that, or take all settings from the function that comes with the store.`,
    )
  }
}

const COMMON: Record<keyof CommonSettings, true> = {
  absoluteTimeout: true,
  codec: true,
  cookie: true,
  generateSecret: true,
  idleTimeout: true,
  limits: true,
  log: true,
  pepper: true,
  purgeInterval: true,
  renewGrace: true,
  renewInterval: true,
  tokens: true,
  touchInterval: true,
}

const OF_DATABASE: Record<Exclude<keyof DatabaseSettings, keyof CommonSettings>, true> = {
  database: true,
  deadline: true,
  migrate: true,
  schema: true,
  tables: true,
}

/** A misspelt setting would silently leave its default in force. */
function refuseUnknown(settings: DatabaseSettings | StoreSettings): void {
  const { store, database, ...rest }: Partial<DatabaseSettings & StoreSettings> = settings ?? {}
  if ((store === undefined) === (database === undefined)) {
    throw new ConfigurationError(
      'createSessions needs either a database, such as { database: fromPg(pool) }, or a store, such as { store: new MemoryStore() }, and not both.',
    )
  }
  for (const name of Object.keys(rest)) {
    if (name in COMMON) continue
    if (!(name in OF_DATABASE)) {
      throw new ConfigurationError(
        `createSessions knows no setting called '${name}'. It knows ${[...Object.keys(COMMON), ...Object.keys(OF_DATABASE)].sort().join(', ')} and store.`,
      )
    }
    // The defaults may be spread over the settings of any store.
    const value = rest[name as keyof typeof rest]
    const isDefault = value === defaultSettings[name as keyof typeof defaultSettings]
    if (store !== undefined && value !== undefined && !isDefault) {
      throw new ConfigurationError(
        `${name} is a setting of PostgreSQL, and these sessions have a store of their own. Leave it out, or give it to the store.`,
      )
    }
  }
}
