import { ConfigurationError } from '../errors.ts'
import type { SessionOpener } from './exchange.ts'

/**
 * Refuses anything but sessions when an adapter is made: the `undefined` of a circular import would fail
 * at the first request only.
 */
export function assertSessions<Data extends object>(
  sessions: SessionOpener<Data>,
  adapter: string,
): void {
  if (typeof Object(sessions).open === 'function') return
  throw new ConfigurationError(
    `${adapter} needs what createSessions has given, and was given ${kindOf(sessions)}. Write const sessions = createSessions({ … }), and ${adapter}(sessions) after it; where the framework takes the result, pass ${adapter}(sessions) rather than ${adapter}.`,
  )
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  return typeof value === 'object' ? 'another object' : `a ${typeof value}`
}
