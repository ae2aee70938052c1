import type { Codec } from '../codec/codec.ts'
import type { Duration } from '../options/duration.ts'
import {
  callback,
  duration,
  type OptionTable,
  objectWith,
  oneOf,
  option,
  refuse,
  wholeNumber,
} from '../options/option.ts'
import { group } from '../options/read-options.ts'
import type { Assurance } from './assurance.ts'
import { type DataChecks, type DataSchemas, readDataSchemas } from './data-schemas.ts'
import type { DeviceAddress } from './device.ts'
import { type Logger, reliableLogger, silentLogger, stdoutLogger } from './logger.ts'
import { defaultSecret, secretOptions } from './secret-options.ts'
import type { TokenFormat } from './token.ts'

/** How much a session may hold. Sizes are bytes as the codec encodes them. */
export interface SessionLimits {
  /** Bytes of one value. Defaults to 1 MiB. */
  readonly valueBytes?: number
  /** Bytes of all keys and values together. Defaults to 4 MiB. */
  readonly sessionBytes?: number
  /** Number of keys. Defaults to 1000. */
  readonly keys?: number
}

/** Settings of sessions, whatever store keeps them. Every one has a default. */
export interface SessionSettings {
  /**
   * How long a session lives without being used, by the database's clock, from the last access (read or
   * write). Defaults to `'1h'`.
   */
  readonly idleTimeout?: Duration
  /**
   * How long a session lives at most, counted from sign-in or creation; `'none'` for no limit. Defaults to
   * `'30d'`, or to the idle timeout if that is longer.
   */
  readonly absoluteTimeout?: Duration | 'none'
  /**
   * Minimum time between writes of `last_access_at`. A session may end earlier than its idle timeout by at
   * most this much. Defaults to a 60th of the idle timeout, between a second and an hour.
   */
  readonly touchInterval?: Duration
  /**
   * Age at which a token is renewed with the next response, which limits how long a stolen token is of
   * use. `'never'` keeps tokens until sign-in, rotation and the like. Defaults to `'never'`.
   */
  readonly renewInterval?: Duration | 'never'
  /**
   * How long the previous token stays valid after a renewal, for requests in flight and for a client that
   * lost the response. It ends a few seconds after the new token is first used. No other change of token
   * has a grace period. Defaults to `'30s'`.
   */
  readonly renewGrace?: Duration
  /**
   * What to do when a client shows a renewed token after its grace. A thief may have stolen it, or the
   * client never got the response with the new one. The event `tokenReused` tells of it in any case, and is
   * logged at `warn`. `'destroy'` ends the session, `'destroyByUser'` all sessions of its user. Defaults to
   * `'log'`: the token is refused, and nothing ends.
   */
  readonly onTokenReuse?: TokenReuse
  /** Makes a token's secret. Defaults to `() => randomToken(24)`: 24 bytes of entropy. */
  readonly generateSecret?: () => string
  /**
   * Keys for HMAC-SHA-256 over tokens, at least 32 characters each; the first one is for new tokens.
   *
   * With a pepper, write access to the database is not enough to mint a session; it is still enough to
   * change the user of an existing one. Tokens made under a later key stay valid. To rotate, put a new key
   * in front, and drop the old one after the longest absolute timeout. Later entries may be undefined.
   * Setting the first pepper signs all users out. Defaults to none: plain SHA-256.
   */
  readonly pepper?: string | readonly (string | undefined)[]
  /**
   * How tokens are made and read, for cookies shared with another system. Replaces `generateSecret` and
   * `pepper`. Defaults to an id and a secret in base64url.
   */
  readonly tokens?: TokenFormat
  /** How keys and values become bytes. Defaults to strict JSON. */
  readonly codec?: Codec
  /**
   * A schema for each key, by any library that follows Standard Schema: `{ basket: z.array(z.string()) }`. Sessions
   * have its types, and values are checked when they are written and when they are read. Defaults to none.
   */
  readonly data?: DataSchemas
  readonly limits?: SessionLimits
  /**
   * Bytes above which a stored value is read only when a handler asks for its key, by a round trip of its
   * own, so that a page that needs a small value does not pay for a large one. Defaults to 8192.
   */
  readonly largeEntries?: number
  /** How often `startPurger` deletes expired sessions. Defaults to `'10m'`. */
  readonly purgeInterval?: Duration
  /**
   * What is kept of the `address` of a device: `'network'` keeps `203.0.113.0/24` or `2001:db8:1::/48`.
   * Defaults to `'none'`.
   */
  readonly deviceAddress?: DeviceAddress
  /**
   * Keeps a serverless function alive for work beside the response, such as noting an access: `waitUntil` of
   * `@vercel/functions`, or `ctx.waitUntil` of a Worker. Default: the work runs on by itself.
   */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /**
   * A level of NIST SP 800-63B-4. Its longest timeouts become the defaults, and longer ones are refused, also those of
   * `signIn(…, { lifetime })`: `'aal1'` 30 days, `'aal2'` 24 hours and 1 hour idle, `'aal3'` 12 hours and 15 minutes idle.
   * Which factors sign a user in is up to you. Defaults to none.
   *
   * @see NIST SP 800-63B-4, sections 2.1.3, 2.2.3 and 2.3.3.
   */
  readonly assurance?: Assurance
  /**
   * How many live sessions a user may have. A sign-in beyond ends those that the user began longest ago
   * (`'end-oldest'`), or is refused with a `TooManySessionsError` (`'refuse'`). It holds over all processes whose sessions
   * have this setting. Defaults to no limit.
   */
  readonly maxPerUser?: MaxPerUser
  /** Where log lines go; `false` for nowhere. Defaults to stdout. */
  readonly log?: Logger | false
}

/**
 * The defaults of every setting that has one, frozen: idle timeout one hour, 24 bytes of entropy,
 * tables created at first use, log to stdout, purge every ten minutes.
 *
 * @example
 * ```ts
 * const sessions = createSessions({ ...defaultSettings, database, idleTimeout: '20m' })
 * ```
 */
export const defaultSettings: DefaultSettings = Object.freeze({
  idleTimeout: '1h',
  absoluteTimeout: '30d',
  renewInterval: 'never',
  renewGrace: '30s',
  onTokenReuse: 'log',
  generateSecret: defaultSecret,
  limits: Object.freeze({ valueBytes: 1_048_576, sessionBytes: 4_194_304, keys: 1000 }),
  largeEntries: 8192,
  purgeInterval: '10m',
  deviceAddress: 'none',
  deadline: '5s',
  migrate: 'auto',
  log: stdoutLogger,
} as const)

/** The settings that have a default which can be written down; the others depend on these. */
export interface DefaultSettings {
  readonly idleTimeout: Duration
  readonly absoluteTimeout: Duration
  readonly renewInterval: 'never'
  readonly renewGrace: Duration
  readonly onTokenReuse: 'log'
  readonly generateSecret: () => string
  readonly limits: Readonly<Required<SessionLimits>>
  readonly largeEntries: number
  readonly purgeInterval: Duration
  readonly deviceAddress: 'none'
  readonly deadline: Duration
  readonly migrate: 'auto'
  readonly log: Logger
}

/**
 * What happens when a client shows a renewed token whose grace is over: nothing but the event `tokenReused`
 * (`log`), the session ends (`destroy`), or all sessions of its user end (`destroyByUser`).
 */
export type TokenReuse = 'log' | 'destroy' | 'destroyByUser'

/** How many live sessions a user may have, and what happens at a sign-in beyond. */
export interface MaxPerUser {
  readonly count: number
  readonly beyond: 'end-oldest' | 'refuse'
}

/** The settings as `readOptions` gives them; durations in milliseconds. */
export interface SessionOptions {
  readonly idleTimeout: number
  readonly absoluteTimeout: number | undefined
  readonly touchInterval: number | undefined
  readonly renewInterval: number
  readonly renewGrace: number
  readonly onTokenReuse: TokenReuse
  readonly generateSecret: () => string
  readonly pepper: readonly string[]
  readonly tokens: TokenFormat | undefined
  readonly codec: Codec | undefined
  readonly data: DataChecks | undefined
  readonly limits: Required<SessionLimits>
  readonly largeEntries: number
  readonly purgeInterval: number
  readonly deviceAddress: DeviceAddress
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
  readonly assurance: Assurance | undefined
  readonly maxPerUser: MaxPerUser | undefined
  readonly log: Logger
}

const MAX_PER_USER = "an object, like { count: 5, beyond: 'end-oldest' }"

export const sessionOptions: OptionTable<SessionOptions> = {
  idleTimeout: duration(defaultSettings.idleTimeout),
  absoluteTimeout: duration(undefined, { none: Number.POSITIVE_INFINITY }),
  touchInterval: duration(undefined),
  renewInterval: duration('never', { never: Number.POSITIVE_INFINITY }),
  renewGrace: duration(defaultSettings.renewGrace),
  onTokenReuse: oneOf(['log', 'destroy', 'destroyByUser'], defaultSettings.onTokenReuse),
  ...secretOptions,
  tokens: objectWith<TokenFormat>('an object with the methods issue, reissue and read', [
    'issue',
    'reissue',
    'read',
  ]),
  codec: objectWith<Codec>('a codec, such as jsonCodec or structuredCloneCodec', [
    'encode',
    'decode',
    'encodeKey',
    'decodeKey',
  ]),
  data: option<DataChecks, undefined>('an object of schemas', undefined, readDataSchemas),
  limits: group({
    valueBytes: wholeNumber(defaultSettings.limits.valueBytes),
    sessionBytes: wholeNumber(defaultSettings.limits.sessionBytes),
    keys: wholeNumber(defaultSettings.limits.keys),
  }),
  largeEntries: wholeNumber(defaultSettings.largeEntries, 0),
  purgeInterval: duration(defaultSettings.purgeInterval),
  deviceAddress: oneOf(['none', 'network', 'whole'], defaultSettings.deviceAddress),
  waitUntil: callback<(work: Promise<unknown>) => void, undefined>(
    '(work) => ctx.waitUntil(work)',
    undefined,
  ),
  assurance: oneOf(['aal1', 'aal2', 'aal3'], undefined),
  maxPerUser: option<MaxPerUser, undefined>(MAX_PER_USER, undefined, readMaxPerUser),
  log: option('a logger, or false for none', stdoutLogger, (log) => readLog(log)),
}

/** What to write instead of settings that other libraries have. */
export const sessionAdvice: Readonly<Record<string, string>> = {
  citus: 'Write distributed: true.',
  maxSessions: "Write maxPerUser: { count: 5, beyond: 'end-oldest' }.",
  maxAge: "The cookie lives as long as the session: set idleTimeout: '1h'.",
  ttl: "Set idleTimeout: '1h'.",
  timeout: "Set idleTimeout: '1h', and absoluteTimeout for an upper bound.",
  secret: 'Tokens need no signature. For a server-side key over stored hashes set pepper.',
  secrets: 'Tokens need no signature. For a server-side key over stored hashes set pepper.',
  password: 'Tokens need no encryption. For a server-side key over stored hashes set pepper.',
  name: "Set cookie: { name: '__Host-id' }.",
  cookieName: "Set cookie: { name: '__Host-id' }.",
  rolling: 'An access always extends a session. Set idleTimeout and touchInterval.',
  resave: 'A session is saved only if it changed. Leave it out.',
  saveUninitialized: 'A visitor without data is never stored. Leave it out.',
  secure: 'Set cookie: { secure }; it is true unless cookie.development is.',
  sameSite: "Set cookie: { sameSite: 'lax' }.",
  tableName: "Set tables: { session: 'session' }.",
  schemaName: "Set schema: 'sessions'.",
  createTableIfMissing: "Tables are created at first use. For another way set migrate: 'check'.",
  pruneSessionInterval: "Set purgeInterval: '10m', and call sessions.startPurger().",
  conString: 'Write database: fromPg(new Pool({ connectionString })).',
  pool: 'Write database: fromPg(pool).',
  client: 'Write database: fromPg(pool).',
  connectionString: 'Write database: fromPg(new Pool({ connectionString })).',
}

function readMaxPerUser(value: unknown, name: string): MaxPerUser {
  if (typeof value !== 'object' || value === null) refuse(name, MAX_PER_USER, value)
  const cap = maxPerUser.read(value, name)
  return cap.beyond === null
    ? refuse(`${name}.beyond`, "'end-oldest' or 'refuse'", undefined)
    : { ...cap, beyond: cap.beyond }
}

const maxPerUser = group({
  count: wholeNumber(1),
  beyond: oneOf(['end-oldest', 'refuse'], null),
})

function readLog(log: unknown): Logger {
  if (log === false) return silentLogger
  return typeof log === 'object' && log !== null
    ? reliableLogger(log as Logger)
    : refuse('log', 'a logger such as console or pino(), or false for none', log)
}
