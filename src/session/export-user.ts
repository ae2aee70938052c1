import type { Codec } from '../codec/codec.ts'
import { UndecodableError, UnsupportedError } from '../errors.ts'
import type { Entry, SessionStore, StoredSession } from '../store/session-store.ts'

import { type DeviceDescription, decodeDevice } from './device.ts'

/** All that is stored of a user, as `JSON.stringify` takes it. */
export interface UserExport {
  readonly userId: string
  /** The oldest first; expired ones that no purge has deleted yet are among them. */
  readonly sessions: readonly ExportedSession[]
}

/** All that is stored of a session, except its token's hash, which tells nothing of a person. */
export interface ExportedSession {
  readonly id: string
  /** ISO 8601; null for a time that is not set or never comes. */
  readonly createdAt: string | null
  readonly authenticatedAt: string | null
  readonly lastAccessAt: string | null
  readonly expiresAt: string | null
  readonly absoluteExpiresAt: string | null
  /** What the sign-in said of its device; null if nothing. */
  readonly device: DeviceDescription | null
  /** The administrator who acted as the user; null in the user's own. */
  readonly actor: string | null
  readonly tags: readonly string[]
  /** Keys with their values. Dates are ISO 8601, bytes are base64, maps and sets are lists. */
  readonly data: Readonly<Record<string, unknown>>
  /** Entries that the codec cannot decode, as base64. Absent if there are none. */
  readonly undecodable?: readonly { readonly key: string; readonly value: string }[]
}

/** @throws {UnsupportedError} The store keeps no users. */
export async function exportUser(
  store: Pick<SessionStore, 'name' | 'readUser'>,
  codec: Codec,
  userId: string,
): Promise<UserExport> {
  if (store.readUser === undefined) {
    throw new UnsupportedError(`The store '${store.name}' cannot tell what it holds of a user.`)
  }
  const sessions = await store.readUser(userId)
  return { userId, sessions: sessions.map((session) => exported(codec, session)) }
}

function exported(codec: Codec, session: StoredSession): ExportedSession {
  const data: Record<string, unknown> = Object.create(null)
  const undecodable: { key: string; value: string }[] = []
  for (const entry of session.entries) {
    const decoded = decode(codec, entry)
    if (decoded === null) undecodable.push({ key: base64(entry.key), value: base64(entry.value) })
    else data[decoded.key] = jsonOf(decoded.value)
  }
  return {
    id: session.id,
    createdAt: timeOf(session.createdAt),
    authenticatedAt: timeOf(session.authenticatedAt),
    lastAccessAt: timeOf(session.lastAccessAt),
    expiresAt: timeOf(session.expiresAt),
    absoluteExpiresAt: timeOf(session.absoluteExpiresAt),
    device: decodeDevice(session.device),
    actor: session.actor?.userId ?? null,
    tags: session.tags ?? [],
    data,
    ...(undecodable.length === 0 ? {} : { undecodable }),
  }
}

function decode(codec: Codec, entry: Entry): { key: string; value: unknown } | null {
  try {
    return { key: codec.decodeKey(entry.key), value: codec.decode(entry.value) }
  } catch (error) {
    if (error instanceof UndecodableError) return null
    throw error
  }
}

/** The last time that a `Date` holds. */
const LAST_TIME = 8.64e15

function timeOf(time: number | null): string | null {
  // PostgreSQL's times reach further than those of JavaScript.
  return time === null || Math.abs(time) > LAST_TIME ? null : new Date(time).toISOString()
}

/** What JSON has for a value of a codec that knows more types. Cycles end in null. */
function jsonOf(value: unknown, around: readonly unknown[] = []): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (around.includes(value)) return null
  const inside = [...around, value]
  const list = (items: Iterable<unknown>): unknown[] =>
    Array.from(items, (item) => jsonOf(item, inside))
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof ArrayBuffer) return base64(new Uint8Array(value))
  if (ArrayBuffer.isView(value)) {
    return base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  }
  if (value instanceof RegExp) return String(value)
  if (value instanceof Map || value instanceof Set || Array.isArray(value)) return list(value)
  const fields = Object.entries(value).map(([key, item]) => [key, jsonOf(item, inside)])
  return Object.fromEntries(fields)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
