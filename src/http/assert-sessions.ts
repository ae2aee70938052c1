import { ConfigurationError } from '../errors.ts'
import type { SessionOpener } from './exchange.ts'

/** The `undefined` of a circular import, say, would fail at the first request only. */
export function assertSessions<Data extends object>(
  sessions: SessionOpener<Data>,
  adapter: string,
): void {
  if (typeof Object(sessions).open === 'function') return
  throw new ConfigurationError(
    `${adapter} needs what createSessions has given, and was given ${kindOf(sessions)}. Write const sessions = createSessions({ … }), and ${adapter}(sessions) after it.`,
  )
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  return typeof value === 'object' ? 'another object' : `a ${typeof value}`
}
