import { ConfigurationError } from '../errors.ts'
import { isPromise } from '../options/is-promise.ts'
import { adviceForClient } from '../options/known-clients.ts'
import type { SessionOpener } from './exchange.ts'

/**
 * Refuses anything but sessions when an adapter is made: the `undefined` of a circular import would fail
 * at the first request only. Options that an adapter doesn't have, such as a cookie, would do nothing.
 */
export function assertSessions<Data extends object>(
  sessions: SessionOpener<Data>,
  adapter: string,
  noOptions: readonly never[] = [],
): void {
  if (typeof Object(sessions).open === 'function') {
    if (noOptions.length === 0) return
    throw new ConfigurationError(
      `${adapter} takes the sessions alone, and no options. Pass settings, such as cookie, to createSessions.`,
    )
  }
  throw new ConfigurationError(
    `${adapter} needs the result of createSessions. ${given(sessions, adapter)}`,
  )
}

/** The framework's own objects arrive when the maker itself is mounted, in place of its result. */
function given(value: unknown, adapter: string): string {
  const known = adviceForClient(value)
  if (known !== undefined) {
    return `${known} Then pass it to createSessions({ database }), and its result to ${adapter}.`
  }
  if (typeof Object(value).withConnection === 'function') {
    return `It was given a driver. Write const sessions = createSessions({ database: driver }), and ${adapter}(sessions).`
  }
  if (isPromise(value)) return 'It was given a promise: await it first.'
  const kind =
    value === undefined || value === null
      ? String(value)
      : typeof value === 'object'
        ? 'another object'
        : `a ${typeof value}`
  return `It was given ${kind}. Write const sessions = createSessions({ … }), and ${adapter}(sessions) after it; where the framework takes the result, pass ${adapter}(sessions), not ${adapter}.`
}
