import { ConfigurationError } from '../errors.ts'
import { shown } from './shown.ts'

/**
 * A length of time with its unit: `'30m'`, `'1h'`, `'14d'`, `'250ms'`.
 *
 * Bare numbers are refused: seconds and milliseconds look alike.
 */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const FORM = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** Longer than any session should live, and well within what PostgreSQL's clock arithmetic takes. */
const LONGEST = 3650 * MILLISECONDS.d

/**
 * Turns a duration into milliseconds.
 *
 * @param name - The option's name, for messages.
 * @param words - What it may be instead, for messages: `none`.
 * @throws {ConfigurationError} It is not a duration, not positive, or longer than ten years.
 */
export function parseDuration(
  name: string,
  duration: Duration,
  words: readonly string[] = [],
): number {
  const parts = typeof duration === 'string' ? FORM.exec(duration) : null
  if (parts === null) {
    const alternatives = words.map((word) => `, or '${word}'`).join('')
    throw new ConfigurationError(
      `${name} must be a duration with its unit, such as '30m', '1h' or '14d'${alternatives}; it is ${describe(duration)}.`,
    )
  }
  const milliseconds = Number(parts[1]) * MILLISECONDS[parts[2] as keyof typeof MILLISECONDS]
  if (milliseconds < 1 || milliseconds > LONGEST) {
    throw new ConfigurationError(`${name} must be between '1ms' and '3650d'; it is '${duration}'.`)
  }
  return milliseconds
}

/** Writes milliseconds the way a person would: `90000` is `'90s'`, `3600000` is `'1h'`. */
export function formatDuration(milliseconds: number): Duration {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (milliseconds >= MILLISECONDS[unit] && milliseconds % MILLISECONDS[unit] === 0) {
      return `${milliseconds / MILLISECONDS[unit]}${unit}`
    }
  }
  return `${milliseconds}ms`
}

function describe(value: unknown): string {
  return typeof value === 'number' ? `the bare number ${value}` : shown(value)
}
