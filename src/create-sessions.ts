import type { Codec, CodecFor } from './codec/codec.ts'
import { jsonCodec } from './codec/json-codec.ts'
import {
  type CookieSettings,
  type ResolvedCookie,
  resolveCookie,
} from './cookie/cookie-settings.ts'
import { ConfigurationError } from './errors.ts'
import { type Duration, formatDuration } from './options/duration.ts'
import { adviceForClient } from './options/known-clients.ts'
import { type OptionTable, option } from './options/option.ts'
import { readOptions } from './options/read-options.ts'
import type { Driver } from './postgres/driver.ts'
import { PostgresStore } from './postgres/postgres-store.ts'
import {
  type DatabaseOptions,
  databaseOptions,
  distributedOption,
  driverOption,
  type MigrateMode,
} from './postgres/store-options.ts'
import type { TableNameOptions } from './postgres/table-names.ts'
import {
  type JoinedUserOptions,
  type UserSettings,
  userOption,
} from './postgres/user/user-settings.ts'
import { type SealOptions, type SealSettings, sealOption } from './sealing/seal-settings.ts'
import { sealStore } from './sealing/seal-store.ts'
import type { DataOf, DataSchemas } from './session/data-schemas.ts'
import { ForgottenReturns } from './session/forgotten-returns.ts'
import type { Logger } from './session/logger.ts'
import { observeStore } from './session/observed-store.ts'
import type { DefaultData, WithUser } from './session/session.ts'
import type { SessionContext } from './session/session-context.ts'
import { SessionEventHub } from './session/session-events.ts'
import { resolvePolicy, type SessionPolicy } from './session/session-policy.ts'
import {
  defaultSettings,
  type SessionOptions,
  type SessionSettings,
  sessionAdvice,
  sessionOptions,
} from './session/settings.ts'
import { UpdateQueue } from './session/update-queue.ts'
import { Sessions } from './sessions.ts'
import { Deadline } from './store/deadline.ts'
import type { SessionStore } from './store/session-store.ts'

/** Settings of any sessions: their lifetimes and limits, and their cookie. */
export interface CommonSettings extends SessionSettings {
  /** The cookie's name and attributes. Defaults to `__Host-id; Secure; HttpOnly; SameSite=Lax`. */
  readonly cookie?: CookieSettings
  /**
   * Encrypts the values of sessions in the database: `{ keys: [current, previous] }`. Keys of entries, user ids,
   * devices and times stay readable. Defaults to none.
   */
  readonly seal?: SealSettings
}

/** Settings of sessions in PostgreSQL. */
export interface DatabaseSettings<User = unknown> extends CommonSettings, TableNameOptions {
  /** The database, through a driver: `fromPg(pool)`, `fromPostgresJs(sql)`, `fromPglite(db)`. */
  readonly database: Driver
  /**
   * What to do about the tables at first use: `'auto'` creates and upgrades them, `'check'` only checks
   * their version, `'off'` does nothing. Defaults to `'auto'`.
   */
  readonly migrate?: MigrateMode
  /** How long a call may take, waiting for a connection and repeats included. Defaults to `'5s'`. */
  readonly deadline?: Duration
  /**
   * Whether Citus distributes the tables, as `pg-sessions migrate --citus` has it do. Each statement is then about one
   * session and asks one server. Defaults to `false`.
   */
  readonly distributed?: boolean
  /**
   * Where your users lie in the same database. Their row is read with the session, in the same statement, as
   * `session.user`; a user who is gone is signed out. Default: none is read.
   */
  readonly user?: UserSettings<User>
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
export function createSessions<Key extends string, Value>(
  settings: (DatabaseSettings | StoreSettings) & { readonly codec: Codec<Key, Value> },
): Sessions<CodecData<Key, Value>>
export function createSessions<const Schemas extends DataSchemas, User = unknown>(
  settings: (DatabaseSettings<User> | StoreSettings) & { readonly data: Schemas },
): Sessions<unknown extends User ? DataOf<Schemas> : DataOf<Schemas> & WithUser<User>>
export function createSessions<Data extends object = DefaultData, User = unknown>(
  settings: (DatabaseSettings<User> | StoreSettings) & {
    readonly codec?: CodecFor<Data> | undefined
  },
): Sessions<unknown extends User ? Data : Data & WithUser<User>>
export function createSessions<Data extends object>(
  settings: DatabaseSettings | StoreSettings,
): Sessions<Data> {
  const options = readSettings(settings)
  const policy = resolvePolicy(options)
  const { cookie } = options
  if (!cookie.secure) {
    policy.log.warn(
      { cookie: cookie.name },
      'session cookies also travel over plain http; use this for development on localhost only',
    )
  }
  const events = new SessionEventHub(policy.log)
  const background = new Set<Promise<unknown>>()
  const codec = options.codec ?? jsonCodec
  const plain = openStore(settings, policy.log)
  checkRequiredSettings(plain, policy)
  const { store, sealing } = sealStore(plain, options.seal, { codec, events })
  const isDevelopment = process.env.NODE_ENV !== 'production'
  const context: SessionContext = {
    store: observeStore(store, events),
    codec,
    data: options.data ?? null,
    tokens: policy.tokens,
    policy,
    events,
    updates: new UpdateQueue(),
    freezesValues: isDevelopment,
    forgottenReturns: isDevelopment ? new ForgottenReturns(codec, policy.log) : null,
    deadline: () => new Deadline(store.deadline ?? Number.POSITIVE_INFINITY),
    inBackground(work) {
      // An event has reported the failure; no caller waits for the work itself.
      const settled = work.catch(() => undefined).finally(() => background.delete(settled))
      background.add(settled)
      try {
        options.waitUntil?.(settled)
      } catch (error) {
        policy.log.warn({ err: error }, 'waitUntil failed, so work beside a response may not end')
      }
    },
  }
  return new Sessions<Data>(context, cookie, background, sealing)
}

/** What sessions hold whose codec has types of its own. */
type CodecData<Key extends string, Value> = unknown extends Value ? DefaultData : Record<Key, Value>

/** All settings as `readOptions` gives them. */
interface Options extends SessionOptions, DatabaseOptions {
  readonly distributed: boolean
  readonly cookie: ResolvedCookie
  readonly database: Driver | undefined
  readonly store: SessionStore | undefined
  readonly user: JoinedUserOptions | undefined
  readonly seal: SealOptions | undefined
}

const STORE =
  'a store, such as { store: new MemoryStore() }. A driver goes with the setting database'

const TABLE: OptionTable<Options> = {
  ...sessionOptions,
  ...databaseOptions,
  ...distributedOption,
  cookie: option('an object, like { sameSite: "strict" }', resolveCookie(), (settings) =>
    resolveCookie(settings as CookieSettings),
  ),
  database: driverOption,
  user: userOption,
  seal: sealOption,
  store: option<SessionStore, undefined>(STORE, undefined, readStore),
}

/** So would a class, or the driver itself, in place of a store. */
function readStore(store: unknown): SessionStore {
  if (typeof store === 'object' && store !== null && 'load' in store && 'create' in store)
    return store as SessionStore
  const line = isDropIn(store)
    ? 'It is a store for express-session, koa-session or @fastify/session: pass it to that library. Sessions of createSessions in the same database take { database: fromPg(pool) }'
    : undefined
  throw new ConfigurationError(`store must be ${STORE}.${line === undefined ? '' : ` ${line}.`}`)
}

function isDropIn(store: unknown): boolean {
  const { get, set, destroy } = Object(store) as Record<string, unknown>
  return [get, set, destroy].every((method) => typeof method === 'function')
}

/** Reads the settings by their table, which goes with a store or a database, not both. */
function readSettings(settings: DatabaseSettings | StoreSettings): Options {
  const { store, database }: Partial<DatabaseSettings & StoreSettings> = settings ?? {}
  if ((store === undefined) === (database === undefined)) {
    throw new ConfigurationError(
      `createSessions needs either a database, such as { database: fromPg(pool) }, or a store, such as { store: new MemoryStore() }, and not both.${whatElse(settings)}`,
    )
  }
  const options = readOptions('createSessions', TABLE, settings, { instead: sessionAdvice })
  if (store !== undefined) refuseWithoutNeeds(store, settings)
  if (store !== undefined) refuseDatabaseOptions(settings)
  if (store !== undefined && options.user !== undefined) {
    throw new ConfigurationError(
      `user is read with the sessions of createSessions({ database }), and the store '${store.name}' does not lie beside your users. Leave it out, or pass it to new PostgresStore({ driver, user }).`,
    )
  }
  return options
}

/** A driver, a store or a client in the place of the settings. */
function whatElse(settings: object): string {
  const { withConnection, load } = Object(settings) as Record<string, unknown>
  if (typeof withConnection === 'function') {
    return ' It was given a driver: write createSessions({ database: driver }).'
  }
  if (typeof load === 'function') return ' It was given a store: write createSessions({ store }).'
  const advice = adviceForClient(settings)
  return advice === undefined ? '' : ` ${advice} Pass that as { database: … }.`
}

/** `{ ...waiSettings(…), codec: undefined }` would write JSON into the tables of a service that reads another form. */
function refuseWithoutNeeds({ name, needs }: SessionStore, settings: object): void {
  if (needs === undefined) return
  const given = settings as Readonly<Record<string, unknown>>
  const isLeftOut = (setting: string): boolean => given[setting] === undefined
  const overwritten = ['cookie', 'touchInterval'].filter((setting) => setting in given)
  const missing = [...needs, ...overwritten].find(isLeftOut)
  if (missing === undefined) return
  throw new ConfigurationError(
    `${missing} is undefined, and the store '${name}' works with that of another system. Leave ${missing} out beside the settings that you spread, or give it a value.`,
  )
}

const databaseOnly = { ...databaseOptions, ...distributedOption }

/** The defaults may be spread over the settings of any store. */
function refuseDatabaseOptions(settings: object): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(databaseOnly, name) || value === undefined) continue
    if (value === defaultSettings[name as keyof typeof defaultSettings]) continue
    throw new ConfigurationError(
      `${name} is a setting of PostgreSQL, and these sessions have their own store. Leave it out, or pass it to the store.`,
    )
  }
}

function openStore(
  {
    store,
    database,
    deadline,
    migrate,
    schema,
    tables,
    distributed,
    user,
  }: Partial<DatabaseSettings & StoreSettings>,
  log: Logger,
): SessionStore {
  if (store !== undefined) return store
  const driver = database as Driver
  return new PostgresStore({
    driver,
    deadline,
    migrate,
    schema,
    tables,
    distributed,
    user,
    log,
  })
}

/** Some stores keep records that others read too, and so cannot follow every setting. */
function checkRequiredSettings(
  { name, requiredSettings, limitsUsers }: SessionStore,
  policy: SessionPolicy,
): void {
  if (policy.maxPerUser !== undefined && limitsUsers !== true) {
    throw new ConfigurationError(
      `The store '${name}' cannot limit the sessions of a user: leave maxPerUser out. Sessions of createSessions({ database }) can, except on distributed tables and over Neon's HTTP function, which has no transactions that last.`,
    )
  }
  if (requiredSettings === undefined) return
  const checks = [
    ['idleTimeout', policy.idleTimeout, requiredSettings.idleTimeout, ''],
    ['absoluteTimeout', policy.absoluteTimeout, requiredSettings.absoluteTimeout, 'none'],
    ['renewInterval', policy.renewal.interval, requiredSettings.renewInterval, 'never'],
  ] as const
  for (const [setting, value, demanded, endless] of checks) {
    if (value === demanded) continue
    const text = demanded === Number.POSITIVE_INFINITY ? endless : formatDuration(demanded)
    throw new ConfigurationError(
      `The store '${name}' works with ${setting}: '${text}' only. Write that, or take all settings from the function that comes with the store.`,
    )
  }
}
