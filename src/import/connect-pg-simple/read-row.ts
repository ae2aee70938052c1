import type { Codec } from '../../codec/codec.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { isSessionError } from '../../errors.ts'
import type { Entry } from '../../store/session-store.ts'
import type { FoundSession, MovableSession, UnreadableSession } from '../import-source.ts'

/** One row of an old table. */
export interface OldRow {
  readonly sid: string
  /** Null when it is too large. */
  readonly sess: string | null
  /** Changes with what it holds, but not with its deadline. */
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly deadline: number
  readonly isLive: boolean
}

/** Whose session a sid is. */
export type IdentifySid = (sid: string) => {
  readonly id: string
  readonly secretHash: Uint8Array
}

/** The user of a session, found in its data; null for none. */
export type ReadUserId = (session: Readonly<Record<string, unknown>>) => unknown

/** What else is needed to read a row. */
export interface RowReading {
  readonly identify: IdentifySid
  /** How values are kept here. */
  readonly codec: Codec
  readonly userId: ReadUserId | null
  /** Milliseconds that a session without a `maxAge` of its own lives from an access. */
  readonly ttl: number
}

const DAY = 86_400_000

/**
 * Reads a row of connect-pg-simple's table. The entries are the session's keys, `cookie` among them.
 *
 * Values keep their JSON, halves of surrogate pairs and NULs included; keys cannot have those.
 */
export function readRow(row: OldRow, reading: RowReading): FoundSession {
  return { cursor: row.sid, content: contentOf(row, reading) }
}

function contentOf(row: OldRow, reading: RowReading): FoundSession['content'] {
  const { identify, codec, userId, ttl } = reading
  const { sid, sess, version, deadline } = row
  if (!row.isLive) return { status: 'expired' }
  const { id, secretHash } = identify(sid)
  const unreadable = (problem: string): UnreadableSession => ({ status: 'unreadable', problem, id })
  if (sess === null) return unreadable('larger than 4 MiB')
  const session = parse(sess)
  if (!isObject(session)) return unreadable('no JSON object')
  const entries = entriesOf(withoutExpiry(session), codec)
  if (typeof entries === 'string') return unreadable(entries)
  const maxAge = maxAgeOf(session.cookie)
  const idle = maxAge ?? ttl
  const lastAccessAt = Math.round(deadline - idle)
  return {
    status: 'movable',
    key: sid,
    version,
    id,
    secretHash,
    userId: userIdOf(session, userId),
    ownIdleTimeout: maxAge,
    createdAt: lastAccessAt,
    lastAccessAt,
    rememberFor: Math.max(idle, ttl, Math.min(deadline - Date.now(), 400 * DAY)) + DAY,
    entries,
  } satisfies MovableSession
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** When each access moves the expiry on, the row alone holds it, and the store adds it to the cookie. */
function withoutExpiry(session: Record<string, unknown>): Record<string, unknown> {
  const { cookie } = session
  if (!isObject(cookie) || typeof cookie.originalMaxAge !== 'number') return session
  const { expires: _, ...sliding } = cookie
  return { ...session, cookie: sliding }
}

function maxAgeOf(cookie: unknown): number | null {
  const maxAge = isObject(cookie) ? cookie.originalMaxAge : null
  if (typeof maxAge !== 'number' || !(maxAge >= 1)) return null
  return Math.round(Math.min(maxAge, 3650 * DAY))
}

/** A session whose user cannot be told goes without, until its next save. */
function userIdOf(session: Record<string, unknown>, read: ReadUserId | null): string | null {
  try {
    const userId = read?.(session)
    const isOne = typeof userId === 'string' && userId !== '' && !/[\0\p{Surrogate}]/u.test(userId)
    return isOne && userId.length <= 255 ? userId : null
  } catch {
    return null
  }
}

/** The entries, or what is wrong with one of them. */
function entriesOf(session: Record<string, unknown>, codec: Codec): Entry[] | string {
  let problem = 'a key with U+0000 or half of a surrogate pair'
  try {
    return Object.entries(session).map(([name, value]) => {
      problem = 'a key with U+0000 or half of a surrogate pair'
      const key = codec.encodeKey(name)
      problem = `a value that the codec ${codec.name} refuses`
      return { key, value: encode(value, codec) }
    })
  } catch (error) {
    if (isSessionError(error)) return problem
    throw error
  }
}

/** What was JSON stays the same JSON, also where the codec would refuse to write it. */
function encode(value: unknown, codec: Codec): Uint8Array {
  return codec === jsonCodec ? Buffer.from(JSON.stringify(value)) : codec.encode(value, 'a value')
}
