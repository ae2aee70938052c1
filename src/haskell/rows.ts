import type { Row } from '../postgres/driver.ts'
import { readEntries } from '../postgres/rows.ts'
import type { Created, LoadResult, SessionTimes } from '../store/session-store.ts'

/** Reads the rows that `statements.ts` asks for. */

/** The `state` column, word by word. */
interface WaiState {
  /** The row's id, which outlives every change of the key. */
  readonly id: string
  readonly times: SessionTimes
  /** What `Precondition.version` is here. */
  readonly version: string
  /** Whether somebody has asked for another key, which the next response is to bring. */
  readonly isFlagged: boolean
}

const SECOND = 1000
const FLAGGED = 'flagged '

/** @param timeout - Milliseconds from the last access to the end. */
export function readState(row: Row, timeout: number): WaiState {
  const [id, created, accessed, now, ...rest] = (row.state as string).split(' ')
  const version = rest.join(' ')
  const createdAt = Number(created) * SECOND
  const lastAccessAt = Number(accessed) * SECOND
  // The clock is read to the nearest second, so the last second of life lasts half a second longer.
  const expiresAt = lastAccessAt + timeout + SECOND / 2
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

export function readCreated(row: Row, timeout: number): Created {
  const { id, times, version } = readState(row, timeout)
  return { status: 'created', id, times, version }
}

export function readLoad(row: Row, timeout: number): LoadResult {
  const { id, times, version, isFlagged } = readState(row, timeout)
  if (row.live !== 'true') return { status: 'expired', id, userId: null }
  return {
    status: 'live',
    record: {
      id,
      userId: null,
      ownIdleTimeout: null,
      version,
      isRotationDue: isFlagged,
      ...times,
      previousToken: null,
      entries: readEntries(row.entries),
    },
  }
}
