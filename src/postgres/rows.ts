import type { Entry, SessionRecord, SessionSummary, SessionTimes } from '../store/session-store.ts'
import type { Row } from './driver.ts'
import { fromHex } from './encoding.ts'

/** Reads the rows that `statements.ts` asks for. */

/** The `state` column, word by word. */
interface State {
  readonly id: string
  readonly secretHash: string
  /** The hash before the last renewal while its grace lasts; null otherwise. */
  readonly previousHash: string | null
  readonly ownIdleTimeout: number | null
  readonly times: SessionTimes
}

export function readState(row: Row): State {
  const [id, secretHash, previousHash, ownIdleTimeout, ...times] = words(row.state)
  return {
    id: id as string,
    secretHash: secretHash as string,
    previousHash: previousHash === NOTHING ? null : (previousHash as string),
    ownIdleTimeout: ownIdleTimeout === NOTHING ? null : Number(ownIdleTimeout),
    times: timesOf(times),
  }
}

/** The `times` column. */
export function readTimes(row: Row): SessionTimes {
  return timesOf(words(row.times))
}

export function readSummary(row: Row): SessionSummary {
  const { id, ownIdleTimeout, times } = readState(row)
  return { id, userId: row.user_id ?? null, ownIdleTimeout, ...times }
}

export function readRecord(row: Row, state: State, viaPreviousToken: boolean): SessionRecord {
  const { id, ownIdleTimeout, times } = state
  const userId = row.user_id ?? null
  const entries = readEntries(row.entries)
  return { id, userId, ownIdleTimeout, ...times, entries, viaPreviousToken }
}

const NOTHING = '-'

function words(column: string | null | undefined): string[] {
  return (column as string).split(' ')
}

function timesOf(words: readonly string[]): SessionTimes {
  const [created, authenticated, accessed, expires, absolute, purge, now] = words
  return {
    createdAt: milliseconds(created),
    authenticatedAt: authenticated === NOTHING ? null : milliseconds(authenticated),
    lastAccessAt: milliseconds(accessed),
    expiresAt: milliseconds(expires),
    absoluteExpiresAt: milliseconds(absolute),
    purgeAt: milliseconds(purge),
    now: milliseconds(now),
  }
}

/** PostgreSQL gives seconds with six decimals, and `Infinity` for a deadline that never comes. */
function milliseconds(seconds: string | undefined): number {
  return Number(seconds) * 1000
}

function readEntries(packed: string | null | undefined): Entry[] {
  if (!packed) return []
  return packed.split(',').map((entry) => {
    const gap = entry.indexOf(' ')
    return { key: fromHex(entry.slice(0, gap)), value: fromHex(entry.slice(gap + 1)) }
  })
}
