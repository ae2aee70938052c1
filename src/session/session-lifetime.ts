import { type Duration, parseDuration } from '../options/duration.ts'
import { checkAssurance } from './assurance.ts'
import { checkTimeouts, parseAbsoluteTimeout, type SessionPolicy } from './session-policy.ts'

/** How long one session lives, other than the settings say. */
export interface SessionLifetime {
  readonly idleTimeout: Duration
  /** Defaults to the settings' absolute timeout. */
  readonly absoluteTimeout?: Duration | 'none'
}

/** The same in milliseconds. An absent absolute timeout is unchanged. */
export interface LifetimeChange {
  readonly idleTimeout: number
  readonly absoluteTimeout?: number
}

/** @throws {ConfigurationError} A duration is wrong, or the absolute timeout is the shorter one. */
export function readLifetime(
  policy: SessionPolicy,
  { idleTimeout: idle, absoluteTimeout: own }: SessionLifetime,
): LifetimeChange {
  const idleTimeout = parseDuration('idleTimeout', idle)
  const absoluteTimeout =
    own === undefined ? policy.absoluteTimeout : parseAbsoluteTimeout('absoluteTimeout', own)
  checkTimeouts(idleTimeout, absoluteTimeout)
  checkAssurance(policy.longest, { idle: idleTimeout, absolute: absoluteTimeout })
  return { idleTimeout, absoluteTimeout }
}
