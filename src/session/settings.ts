import type { Codec } from '../codec/codec.ts'
import { ConfigurationError } from '../errors.ts'
import type { Grace } from '../store/session-store.ts'
import { type Duration, formatDuration, parseDuration } from './duration.ts'
import { type Logger, reliableLogger, silentLogger, stdoutLogger } from './logger.ts'
import { createTokens, randomToken, type TokenFormat } from './token.ts'

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
   * How long a session lives on without being used. Counted by the database's clock from the last
   * access, read or write. Defaults to `'1h'`.
   */
  readonly idleTimeout?: Duration
  /**
   * How long a session lives at most, however much it is used, from sign-in or creation; `'none'` for
   * no bound. Defaults to `'30d'`, or to the idle timeout when that is longer.
   */
  readonly absoluteTimeout?: Duration | 'none'
  /**
   * An access is noted in the database when the last one noted is this long ago. Defaults to a 60th of
   * the idle timeout, between a second and an hour. A session may so end earlier than its idle timeout
   * by at most this much.
   */
  readonly touchInterval?: Duration
  /**
   * A request with a token older than this is given a new one with its response; `'never'` for tokens
   * that change only at sign-in, rotation and the like. Bounds for how long a token is of use to somebody
   * who finds it. Defaults to `'never'`.
   */
  readonly renewInterval?: Duration | 'never'
  /**
   * How long a renewed token works on, for requests under way and for a client that did not get the
   * response with the new one. It ends early, a few seconds after the new one was first shown. No other
   * change of token has a grace. Defaults to `'30s'`.
   */
  readonly renewGrace?: Duration
  /** Makes a token's secret. Defaults to `() => randomToken(24)`: 24 bytes of entropy. */
  readonly generateSecret?: () => string
  /**
   * Keys for HMAC-SHA-256 over tokens, at least 32 characters each, the one for new tokens first.
   * With one, nobody can make a session from the database alone; somebody who can write to it can
   * still change whose an existing session is. Tokens made under a later key of the list stay valid, so put a new
   * key in front to rotate, and drop the old one once the longest absolute timeout has passed. The first
   * pepper ever signs everybody out. Defaults to none: plain SHA-256.
   */
  readonly pepper?: string | readonly string[]
  /**
   * How tokens are made and read, for cookies that another system shares, in the place of
   * `generateSecret` and `pepper`. Defaults to an id and a secret in base64url.
   */
  readonly tokens?: TokenFormat
  /** How keys and values become bytes. Defaults to strict JSON. */
  readonly codec?: Codec
  readonly limits?: SessionLimits
  /** How often `startPurger` deletes expired sessions. Defaults to `'10m'`. */
  readonly purgeInterval?: Duration
  /** Where log lines go; `false` for nowhere. Defaults to stdout. */
  readonly log?: Logger | false
}

function defaultSecret(): string {
  return randomToken(24)
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
  generateSecret: defaultSecret,
  limits: Object.freeze({ valueBytes: 1_048_576, sessionBytes: 4_194_304, keys: 1000 }),
  purgeInterval: '10m',
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
  readonly generateSecret: () => string
  readonly limits: Readonly<Required<SessionLimits>>
  readonly purgeInterval: Duration
  readonly deadline: Duration
  readonly migrate: 'auto'
  readonly log: Logger
}

/** What the settings mean, in milliseconds and without gaps. */
export interface SessionPolicy {
  readonly idleTimeout: number
  /** `Infinity` for none. */
  readonly absoluteTimeout: number
  /** How long after the last noted access the next one is noted, for a session with this idle timeout. */
  touchInterval(idleTimeout: number): number
  readonly renewal: RenewalPolicy
  readonly tokens: TokenFormat
  readonly limits: Required<SessionLimits>
  readonly purgeInterval: number
  readonly log: Logger
}

/** When tokens are renewed, and how the old ones fade. */
interface RenewalPolicy {
  /** The age at which a token is renewed; `Infinity` for never. */
  readonly interval: number
  readonly grace: Grace
}

const SECOND = 1000
const HOUR = 3_600_000

/**
 * Checks the settings and fills the gaps.
 *
 * @throws {ConfigurationError} A setting is wrong or contradicts another; says what to write instead.
 */
export function resolveSettings(settings: SessionSettings): SessionPolicy {
  const idleTimeout = parseDuration(
    'idleTimeout',
    settings.idleTimeout ?? defaultSettings.idleTimeout,
  )
  const absoluteTimeout = resolveAbsoluteTimeout(settings.absoluteTimeout, idleTimeout)
  return {
    idleTimeout,
    absoluteTimeout,
    touchInterval: resolveTouchInterval(settings.touchInterval, idleTimeout),
    renewal: resolveRenewal(settings, absoluteTimeout),
    tokens: resolveTokens(settings),
    limits: resolveLimits(settings.limits ?? {}),
    purgeInterval: parseDuration(
      'purgeInterval',
      settings.purgeInterval ?? defaultSettings.purgeInterval,
    ),
    log: settings.log === false ? silentLogger : reliableLogger(settings.log ?? stdoutLogger),
  }
}

/** Reads an absolute timeout: `Infinity` for `'none'`. */
export function parseAbsoluteTimeout(setting: string, timeout: Duration | 'none'): number {
  return timeout === 'none' ? Number.POSITIVE_INFINITY : parseDuration(setting, timeout)
}

/** @throws {ConfigurationError} The session would end before it can become idle. */
export function checkTimeouts(idleTimeout: number, absoluteTimeout: number): void {
  if (absoluteTimeout >= idleTimeout) return
  const idle = formatDuration(idleTimeout)
  throw new ConfigurationError(
    `absoluteTimeout ('${formatDuration(absoluteTimeout)}') is shorter than idleTimeout ('${idle}'), so the idle timeout would never count. Write absoluteTimeout: '${idle}' or more, or a shorter idleTimeout.`,
  )
}

function resolveAbsoluteTimeout(timeout: Duration | 'none' | undefined, idle: number): number {
  if (timeout === undefined) {
    return Math.max(idle, parseDuration('absoluteTimeout', defaultSettings.absoluteTimeout))
  }
  const absolute = parseAbsoluteTimeout('absoluteTimeout', timeout)
  checkTimeouts(idle, absolute)
  return absolute
}

function resolveTouchInterval(
  interval: Duration | undefined,
  idleTimeout: number,
): (idleTimeout: number) => number {
  if (interval === undefined) {
    return (idle) => Math.min(Math.max(idle / 60, Math.min(SECOND, idle / 4)), HOUR)
  }
  const milliseconds = parseDuration('touchInterval', interval)
  if (milliseconds > idleTimeout / 2) {
    throw new ConfigurationError(
      `touchInterval ('${interval}') is longer than half of idleTimeout ('${formatDuration(idleTimeout)}'), so sessions in use would end. Write touchInterval: '${formatDuration(Math.max(1, Math.floor(idleTimeout / 60)))}', or leave it out.`,
    )
  }
  return (idle) => Math.min(milliseconds, idle / 2)
}

/** A reply is taken for lost after a third of the grace, but nobody waits longer for one than this. */
const LONGEST_PATIENCE = 10 * SECOND
const LONGEST_OVERLAP = 5 * SECOND

function resolveRenewal(
  { renewInterval = 'never', renewGrace = defaultSettings.renewGrace }: SessionSettings,
  absoluteTimeout: number,
): RenewalPolicy {
  const duration = parseDuration('renewGrace', renewGrace)
  const grace = {
    duration,
    patience: Math.min(duration / 3, LONGEST_PATIENCE),
    overlap: Math.min(duration / 6, LONGEST_OVERLAP),
  }
  if (renewInterval === 'never') return { interval: Number.POSITIVE_INFINITY, grace }
  const interval = parseDuration('renewInterval', renewInterval)
  if (interval > absoluteTimeout) {
    throw new ConfigurationError(
      `renewInterval ('${renewInterval}') is longer than absoluteTimeout ('${formatDuration(absoluteTimeout)}'), so no token would ever be renewed. Write renewInterval: '${formatDuration(Math.floor(absoluteTimeout / 4))}', or leave it out.`,
    )
  }
  if (duration >= interval / 2) {
    throw new ConfigurationError(
      `renewGrace ('${formatDuration(duration)}') must be shorter than half of renewInterval ('${renewInterval}'), or old tokens would work most of the time. Write renewInterval: '${formatDuration(4 * duration)}' or a shorter renewGrace.`,
    )
  }
  return { interval, grace }
}

function resolveTokens({ tokens, generateSecret, pepper }: SessionSettings): TokenFormat {
  if (tokens === undefined) {
    return createTokens({
      generateSecret: resolveGenerateSecret(generateSecret),
      peppers: resolvePeppers(pepper),
    })
  }
  // The defaults may be spread beside tokens of another form.
  if (pepper !== undefined || (generateSecret ?? defaultSecret) !== defaultSecret) {
    throw new ConfigurationError(
      'generateSecret and pepper are settings of the tokens that sessions make by default. Leave them out, or leave out tokens.',
    )
  }
  return tokens
}

function resolveGenerateSecret(generate: (() => string) | undefined): () => string {
  if (generate === undefined) return defaultSecret
  if (typeof generate === 'function') return generate
  throw new ConfigurationError(
    'generateSecret must be a function, such as: generateSecret: () => randomToken(24)',
  )
}

function resolvePeppers(pepper: string | readonly string[] | undefined): readonly string[] {
  const peppers = pepper === undefined ? [] : [pepper].flat()
  if (pepper !== undefined && peppers.length === 0) {
    throw new ConfigurationError(
      'pepper is an empty list, which would leave secrets without one. Give it a key, or leave it out.',
    )
  }
  return peppers
}

function resolveLimits(limits: SessionLimits): Required<SessionLimits> {
  const resolved = { ...defaultSettings.limits, ...limits }
  for (const [name, limit] of Object.entries(resolved)) {
    if (!Object.hasOwn(defaultSettings.limits, name)) {
      throw new ConfigurationError(
        `There is no limits.${name}. Write one of ${Object.keys(defaultSettings.limits).join(', ')}.`,
      )
    }
    if (!Number.isInteger(limit) || limit < 1) {
      throw new ConfigurationError(
        `limits.${name} must be a whole number of at least 1; it is ${String(limit)}.`,
      )
    }
  }
  if (resolved.valueBytes > resolved.sessionBytes) {
    throw new ConfigurationError(
      `limits.valueBytes (${resolved.valueBytes}) is more than limits.sessionBytes (${resolved.sessionBytes}), so such a value would never fit. Raise the second or lower the first.`,
    )
  }
  return resolved
}
