import type {
  Entry,
  LiveSession,
  SessionRecord,
  SessionSummary,
  SessionTimes,
} from '../store/session-store.ts'
import type { Row } from './driver.ts'

/** Reads the rows that `statements.ts` asks for. */

/** The `state` column, word by word. */
interface State {
  readonly id: string
  readonly secretHash: string
  /** The hash before the last renewal while its grace lasts; null otherwise. */
  readonly previousHash: string | null
  readonly previousUntil: number
  readonly ownIdleTimeout: number | null
  readonly times: SessionTimes
}

export function readState(row: Row): State {
  const [id, secretHash, previousHash, previousUntil, ownIdleTimeout, ...times] = words(row.state)
  return {
    id: id as string,
    secretHash: secretHash as string,
    previousHash: previousHash === NOTHING ? null : (previousHash as string),
    previousUntil: milliseconds(previousUntil),
    ownIdleTimeout: ownIdleTimeout === NOTHING ? null : Number(ownIdleTimeout),
    times: timesOf(times),
  }
}

/** The session that a row with a `state` column is about. */
export function readId(row: Row): string {
  return (row.state as string).slice(0, UUID_LENGTH)
}

/** The `times` column. */
export function readTimes(row: Row): SessionTimes {
  return timesOf(words(row.times))
}

export function readSummary(row: Row): SessionSummary {
  const { id, ownIdleTimeout, times } = readState(row)
  return { id, userId: row.user_id ?? null, ownIdleTimeout, ...times }
}

export function readLive(row: Row): LiveSession {
  const remaining = milliseconds(row.expires_at ?? '') - milliseconds(row.now ?? '')
  return { id: row.id as string, userId: row.user_id ?? null, remaining }
}

/** @param isShown - Whether the client showed the token before the one in force. */
export function readRecord(row: Row, state: State, isShown: boolean): SessionRecord {
  const { id, previousHash, previousUntil, ownIdleTimeout, times } = state
  const userId = row.user_id ?? null
  const previousToken = previousHash === null ? null : { until: previousUntil, isShown }
  const entries = readEntries(row.entries)
  return { id, userId, ownIdleTimeout, ...times, previousToken, entries }
}

const NOTHING = '-'
const UUID_LENGTH = 36

function words(column: string | null | undefined): string[] {
  return (column as string).split(' ')
}

function timesOf(words: readonly string[]): SessionTimes {
  const [created, authenticated, accessed, issued, expires, absolute, purge, now] = words
  return {
    createdAt: milliseconds(created),
    authenticatedAt: authenticated === NOTHING ? null : milliseconds(authenticated),
    lastAccessAt: milliseconds(accessed),
    tokenIssuedAt: milliseconds(issued),
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

/** Entries come as one byte string: each key and each value after its length, of four bytes. */
export function readEntries(packed: string | null | undefined): Entry[] {
  if (!packed) return []
  const bytes = Buffer.from(packed, 'hex')
  const entries: Entry[] = []
  for (let at = 0; at < bytes.length; ) {
    const key = at + LENGTH
    const keyEnd = key + bytes.readUInt32BE(at)
    const value = keyEnd + LENGTH
    at = value + bytes.readUInt32BE(keyEnd)
    entries.push({ key: bytes.subarray(key, keyEnd), value: bytes.subarray(value, at) })
  }
  return entries
}

const LENGTH = 4
