import type {
  Entry,
  LiveSession,
  SessionRecord,
  SessionSummary,
  SessionTimes,
} from '../store/session-store.ts'
import type { Row } from './driver.ts'

/** Reads the rows that `statements.ts` asks for. */

/** The `state` column. */
interface State {
  readonly id: string
  readonly secretHash: Uint8Array
  /** The hash before the last renewal while its grace lasts; null otherwise. */
  readonly previousHash: Uint8Array | null
  readonly previousUntil: number
  readonly ownIdleTimeout: number | null
  readonly times: SessionTimes
  /** What stands behind it in the column. */
  readonly entries: Buffer
}

/** Where each part of the `state` column begins, in bytes. */
const SECRET_HASH = 16
const TIMES = 48
const OWN_IDLE = 112
const PREVIOUS_UNTIL = 120
const PREVIOUS_HASH = 128
const ENTRIES = 160

export function readState(row: Row): State {
  const bytes = bytesOf(row.state)
  const times = timesAt(bytes, TIMES)
  const previousUntil = timeAt(bytes, PREVIOUS_UNTIL)
  const isGrace = previousUntil > times.now
  return {
    id: idAt(row.state as string),
    secretHash: bytes.subarray(SECRET_HASH, TIMES),
    previousHash: isGrace ? bytes.subarray(PREVIOUS_HASH, ENTRIES) : null,
    previousUntil,
    ownIdleTimeout: integerAt(bytes, OWN_IDLE) || null,
    times,
    entries: bytes.subarray(ENTRIES),
  }
}

/** The session that a row with a `state` column is about. */
export function readId(row: Row): string {
  return idAt(row.state as string)
}

/** The `times` column. */
export function readTimes(row: Row): SessionTimes {
  return timesAt(bytesOf(row.times), 0)
}

export function readSummary(row: Row): SessionSummary {
  const { id, ownIdleTimeout, times } = readState(row)
  return { id, userId: row.user_id ?? null, ownIdleTimeout, ...times }
}

export function readLive(row: Row): LiveSession {
  const remaining = milliseconds(row.expires_at) - milliseconds(row.now)
  return { id: row.id as string, userId: row.user_id ?? null, remaining }
}

/** @param isShown - Whether the client showed the token before the one in force. */
export function readRecord(row: Row, state: State, isShown: boolean): SessionRecord {
  const { id, previousHash, previousUntil, ownIdleTimeout, times } = state
  const userId = row.user_id ?? null
  const previousToken = previousHash === null ? null : { until: previousUntil, isShown }
  return { id, userId, ownIdleTimeout, ...times, previousToken, entries: unpack(state.entries) }
}

function bytesOf(column: string | null | undefined): Buffer {
  return Buffer.from(column as string, 'hex')
}

function idAt(digits: string): string {
  const part = (from: number, to: number): string => digits.slice(from, to)
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`
}

function timesAt(bytes: Buffer, at: number): SessionTimes {
  const authenticatedAt = timeAt(bytes, at + 8)
  return {
    createdAt: timeAt(bytes, at),
    authenticatedAt: authenticatedAt === Number.NEGATIVE_INFINITY ? null : authenticatedAt,
    lastAccessAt: timeAt(bytes, at + 16),
    tokenIssuedAt: timeAt(bytes, at + 24),
    expiresAt: timeAt(bytes, at + 32),
    absoluteExpiresAt: timeAt(bytes, at + 40),
    purgeAt: timeAt(bytes, at + 48),
    now: timeAt(bytes, at + 56),
  }
}

/** Milliseconds from 1970 to 2000, where PostgreSQL begins to count. */
const EPOCH = 946_684_800_000

/** PostgreSQL counts microseconds; its infinities are the greatest and the least integer. */
function timeAt(bytes: Buffer, at: number): number {
  const microseconds = integerAt(bytes, at)
  if (microseconds >= 2 ** 63) return Number.POSITIVE_INFINITY
  if (microseconds <= -(2 ** 63)) return Number.NEGATIVE_INFINITY
  return microseconds / 1000 + EPOCH
}

/** Exact below 2^53, which is the case for times until the year 2255. */
function integerAt(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}

/** Of seconds with six decimals; `Infinity` for a deadline that never comes. */
function milliseconds(seconds: string | null | undefined): number {
  return Number(seconds) * 1000
}

/** Entries come as one byte string: each key and each value after its length, of four bytes. */
export function readEntries(packed: string | null | undefined): Entry[] {
  return packed ? unpack(Buffer.from(packed, 'hex')) : []
}

function unpack(bytes: Buffer): Entry[] {
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
