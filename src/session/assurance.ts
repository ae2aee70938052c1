import { ConfigurationError } from '../errors.ts'
import { formatDuration } from '../options/duration.ts'

/** A level of NIST SP 800-63B-4, whose limits of sessions are kept. */
export type Assurance = 'aal1' | 'aal2' | 'aal3'

/** The longest timeouts, in milliseconds. */
export interface LongestTimeouts {
  readonly level: Assurance
  readonly idle: number
  readonly absolute: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * The limits of each level: an overall timeout, which only an authentication restarts, and one for inactivity, which
 * the first level does not have.
 *
 * @see NIST SP 800-63B-4, sections 2.1.3, 2.2.3 and 2.3.3.
 */
const LEVELS: Readonly<Record<Assurance, LongestTimeouts>> = {
  aal1: { level: 'aal1', idle: 30 * DAY, absolute: 30 * DAY },
  aal2: { level: 'aal2', idle: HOUR, absolute: DAY },
  aal3: { level: 'aal3', idle: 15 * MINUTE, absolute: 12 * HOUR },
}

/** No limits where no level is asked for. */
export function longestTimeouts(assurance: Assurance | undefined): LongestTimeouts | null {
  return assurance === undefined ? null : LEVELS[assurance]
}

/** @throws {ConfigurationError} A timeout is longer than the level allows. */
export function checkAssurance(
  longest: LongestTimeouts | null,
  { idle, absolute }: { readonly idle: number; readonly absolute: number },
): void {
  if (longest === null) return
  const pairs = [
    ['idleTimeout', idle, longest.idle],
    ['absoluteTimeout', absolute, longest.absolute],
  ] as const
  for (const [name, value, most] of pairs) {
    if (value <= most) continue
    const given = value === Number.POSITIVE_INFINITY ? 'none' : formatDuration(value)
    throw new ConfigurationError(
      `${name} ('${given}') is longer than assurance: '${longest.level}' allows. Write '${formatDuration(most)}' or less.`,
    )
  }
}
