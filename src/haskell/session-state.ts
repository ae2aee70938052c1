import type { Created, Entry, LoadResult, SessionTimes } from '../store/session-store.ts'
import { hasStood } from './standing-flags.ts'

/** What the text that `STATE` of `sql-fragments.ts` writes says of a session. */

/** How the other service's sessions age, in milliseconds. */
export interface WaiTimes {
  /** From the last access to the end. */
  readonly timeout: number
  /** From `clearSession` to the response of the handler that called it. */
  readonly loginTime: number
}

/** The text, word by word. */
interface WaiState {
  /** The row's id, which outlives every change of the key. */
  readonly id: string
  readonly times: SessionTimes
  /** What `Precondition.version` is here. */
  readonly version: string
  /** Whether `clearSession` has asked for another key. */
  readonly isFlagged: boolean
}

const SECOND = 1000
const FLAGGED = 'flagged '
/** The last millisecond that a `Date` can hold; `timestamptz` can, too. */
const LATEST = 8.64e15

/**
 * Milliseconds of the whole seconds in a column, which may hold times that are not `Date`: someone may have written
 * the largest number for a session that is to live on.
 */
export function millisecondsOf(seconds: number): number {
  return Math.min(Math.max(seconds * SECOND, 0), LATEST)
}

/** @param timeout - Milliseconds from the last access to the end. */
export function readState(state: string, timeout: number): WaiState {
  const [id, created, accessed, now, ...rest] = state.split(' ')
  const version = rest.join(' ')
  const createdAt = millisecondsOf(Number(created))
  const lastAccessAt = millisecondsOf(Number(accessed))
  // The clock is read to the nearest second, so the last second of life lasts half a second longer.
  const expiresAt = Math.min(lastAccessAt + timeout + SECOND / 2, LATEST)
  return {
    id: id as string,
    version,
    isFlagged: version.startsWith(FLAGGED),
    times: {
      createdAt,
      authenticatedAt: null,
      lastAccessAt,
      tokenIssuedAt: createdAt,
      expiresAt,
      absoluteExpiresAt: Number.POSITIVE_INFINITY,
      purgeAt: expiresAt,
      now: Number(now) * SECOND,
    },
  }
}

export function readCreated(state: string, timeout: number): Created {
  const { id, times, version } = readState(state, timeout)
  return { status: 'created', id, times, version }
}

/**
 * Reads a session for a request.
 *
 * A fresh flag belongs to the login that set it: the session can be read, but its version matches no row,
 * so that this request neither writes into the login's session nor takes its new key.
 */
export function readLoaded(
  state: string,
  { isLive, entries }: { readonly isLive: boolean; readonly entries: readonly Entry[] },
  { timeout, loginTime }: WaiTimes,
): LoadResult {
  const { id, times, version, isFlagged } = readState(state, timeout)
  if (!isLive) return { status: 'expired', id, userId: null }
  const isAbandoned = isFlagged && hasStood(version, times.now, loginTime)
  return {
    status: 'live',
    record: {
      id,
      userId: null,
      ownIdleTimeout: null,
      version: isFlagged && !isAbandoned ? `in use: ${version}` : version,
      isRotationDue: isAbandoned,
      ...times,
      previousToken: null,
      entries,
    },
  }
}
