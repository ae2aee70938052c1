import { ConfigurationError } from '../errors.ts'
import { type Duration, formatDuration, parseDuration } from '../options/duration.ts'
import type { SessionCap } from '../store/session-store.ts'
import { checkAssurance, type LongestTimeouts, longestTimeouts } from './assurance.ts'
import type { DeviceAddress } from './device.ts'
import type { Logger } from './logger.ts'
import { defaultSecret } from './secret-options.ts'
import {
  defaultSettings,
  type SessionLimits,
  type SessionOptions,
  type TokenReuse,
} from './settings.ts'
import { createTokens, type TokenFormat } from './token.ts'

/** The settings in force, with durations in milliseconds. */
export interface SessionPolicy {
  readonly idleTimeout: number
  /** `Infinity` for none. */
  readonly absoluteTimeout: number
  /** How long after the last noted access the next one is noted, for a session with this idle timeout. */
  touchInterval(idleTimeout: number): number
  readonly renewal: RenewalPolicy
  readonly tokens: TokenFormat
  readonly limits: Required<SessionLimits>
  readonly largeEntries: number
  readonly purgeInterval: number
  readonly deviceAddress: DeviceAddress
  readonly maxPerUser: SessionCap | undefined
  /** Null for no limits. */
  readonly longest: LongestTimeouts | null
  readonly log: Logger
}

/** When tokens are renewed, and how the old ones fade. */
interface RenewalPolicy {
  /** The age at which a token is renewed; `Infinity` for never. */
  readonly interval: number
  readonly grace: GracePolicy
  readonly onReuse: TokenReuse
}

/** How a renewed token fades, in milliseconds. */
interface GracePolicy {
  /** How long a token works on after its renewal. */
  readonly duration: number
  /** How long after a renewal its response may still be in flight. */
  readonly patience: number
  /** How long a token works on at most once its successor has been shown. */
  readonly overlap: number
}

const SECOND = 1000
const HOUR = 3_600_000

/**
 * Turns settings into a policy: fills in the defaults that depend on others.
 *
 * @throws {ConfigurationError} Two settings contradict each other; says what to write instead.
 */
export function resolvePolicy(options: SessionOptions): SessionPolicy {
  const { limits, largeEntries, purgeInterval, deviceAddress, maxPerUser, log } = options
  const longest = longestTimeouts(options.assurance)
  const { idleTimeout, absoluteTimeout } = resolveTimeouts(options, longest)
  if (limits.valueBytes > limits.sessionBytes) {
    throw new ConfigurationError(
      `limits.valueBytes (${limits.valueBytes}) is more than limits.sessionBytes (${limits.sessionBytes}), so such a value would never fit. Raise the second or lower the first.`,
    )
  }
  return {
    idleTimeout,
    absoluteTimeout,
    touchInterval: resolveTouchInterval(options.touchInterval, idleTimeout),
    renewal: resolveRenewal(options, absoluteTimeout),
    tokens: resolveTokens(options),
    limits,
    largeEntries,
    purgeInterval,
    deviceAddress,
    maxPerUser,
    longest,
    log,
  }
}

/** A timeout that is left at its default is lowered to what the level of assurance allows; a longer one is refused. */
function resolveTimeouts(
  { idleTimeout: idle, absoluteTimeout: absolute }: SessionOptions,
  longest: LongestTimeouts | null,
): Pick<SessionPolicy, 'idleTimeout' | 'absoluteTimeout'> {
  const isDefault = (name: 'idleTimeout' | 'absoluteTimeout', value: number): boolean =>
    value === parseDuration(name, defaultSettings[name])
  const most = longest ?? { idle: Number.POSITIVE_INFINITY, absolute: Number.POSITIVE_INFINITY }
  const idleTimeout = isDefault('idleTimeout', idle) ? Math.min(idle, most.idle) : idle
  const isOwn = absolute !== undefined && !isDefault('absoluteTimeout', absolute)
  const absoluteTimeout =
    longest === null || isOwn ? resolveAbsoluteTimeout(absolute, idleTimeout) : longest.absolute
  checkAssurance(longest, { idle: idleTimeout, absolute: absoluteTimeout })
  return { idleTimeout, absoluteTimeout }
}

/** Reads an absolute timeout: `Infinity` for `'none'`. */
export function parseAbsoluteTimeout(name: string, timeout: Duration | 'none'): number {
  return timeout === 'none' ? Number.POSITIVE_INFINITY : parseDuration(name, timeout, ['none'])
}

/** @throws {ConfigurationError} The session would end before it can become idle. */
export function checkTimeouts(idleTimeout: number, absoluteTimeout: number): void {
  if (absoluteTimeout >= idleTimeout) return
  const idle = formatDuration(idleTimeout)
  throw new ConfigurationError(
    `absoluteTimeout ('${formatDuration(absoluteTimeout)}') is shorter than idleTimeout ('${idle}'), so the idle timeout would never count. Write absoluteTimeout: '${idle}' or more, or a shorter idleTimeout.`,
  )
}

function resolveAbsoluteTimeout(timeout: number | undefined, idle: number): number {
  if (timeout === undefined) {
    return Math.max(idle, parseDuration('absoluteTimeout', defaultSettings.absoluteTimeout))
  }
  checkTimeouts(idle, timeout)
  return timeout
}

function resolveTouchInterval(
  interval: number | undefined,
  idleTimeout: number,
): (idleTimeout: number) => number {
  if (interval === undefined) {
    return (idle) => Math.min(Math.max(idle / 60, Math.min(SECOND, idle / 4)), HOUR)
  }
  if (interval > idleTimeout / 2) {
    throw new ConfigurationError(
      `touchInterval ('${formatDuration(interval)}') is longer than half of idleTimeout ('${formatDuration(idleTimeout)}'), so sessions in use would end. Write touchInterval: '${formatDuration(Math.max(1, Math.floor(idleTimeout / 60)))}', or leave it out.`,
    )
  }
  return (idle) => Math.min(interval, idle / 2)
}

/** A reply counts as lost after a third of the grace, and after this long at the latest. */
const LONGEST_PATIENCE = 10 * SECOND
const LONGEST_OVERLAP = 5 * SECOND

function resolveRenewal(
  { renewInterval: interval, renewGrace: duration, onTokenReuse: onReuse }: SessionOptions,
  absoluteTimeout: number,
): RenewalPolicy {
  const grace = {
    duration,
    patience: Math.min(duration / 3, LONGEST_PATIENCE),
    overlap: Math.min(duration / 6, LONGEST_OVERLAP),
  }
  if (interval === Number.POSITIVE_INFINITY) return { interval, grace, onReuse }
  if (interval > absoluteTimeout) {
    throw new ConfigurationError(
      `renewInterval ('${formatDuration(interval)}') is longer than absoluteTimeout ('${formatDuration(absoluteTimeout)}'), so no token would ever be renewed. Write renewInterval: '${formatDuration(Math.floor(absoluteTimeout / 4))}', or leave it out.`,
    )
  }
  if (duration >= interval / 2) {
    throw new ConfigurationError(
      `renewGrace ('${formatDuration(duration)}') must be shorter than half of renewInterval ('${formatDuration(interval)}'), or old tokens would work most of the time. Write renewInterval: '${formatDuration(4 * duration)}' or a shorter renewGrace.`,
    )
  }
  return { interval, grace, onReuse }
}

function resolveTokens({ tokens, generateSecret, pepper }: SessionOptions): TokenFormat {
  if (tokens === undefined) return createTokens({ generateSecret, peppers: pepper })
  // The defaults may be spread beside tokens of another form.
  if (pepper.length > 0 || generateSecret !== defaultSecret) {
    throw new ConfigurationError(
      'generateSecret and pepper belong to the default token format. Leave them out, or leave out tokens.',
    )
  }
  return tokens
}
