import type { Entry, SessionRecord, SessionSummary, SessionTimes } from '../store/session-store.ts'
import type { Row } from './driver.ts'
import { fromHex } from './encoding.ts'

/** Reads the rows that `statements.ts` asks for. */

export function readTimes(row: Row): SessionTimes {
  return {
    createdAt: milliseconds(row.created_at),
    authenticatedAt: row.authenticated_at === null ? null : milliseconds(row.authenticated_at),
    lastAccessAt: milliseconds(row.last_access_at),
    expiresAt: milliseconds(row.expires_at),
    absoluteExpiresAt: milliseconds(row.absolute_expires_at),
    purgeAt: milliseconds(row.purge_at),
    now: milliseconds(row.now),
  }
}

export function readSummary(row: Row): SessionSummary {
  return {
    id: row.id as string,
    userId: row.user_id ?? null,
    ownIdleTimeout: row.own_idle_ms === null ? null : Number(row.own_idle_ms),
    ...readTimes(row),
  }
}

export function readRecord(row: Row, viaPreviousToken: boolean): SessionRecord {
  return { ...readSummary(row), entries: readEntries(row.entries), viaPreviousToken }
}

function readEntries(packed: string | null | undefined): Entry[] {
  if (!packed) return []
  return packed.split(',').map((entry) => {
    const gap = entry.indexOf(' ')
    return { key: fromHex(entry.slice(0, gap)), value: fromHex(entry.slice(gap + 1)) }
  })
}

/** PostgreSQL gives seconds with six decimals, and `Infinity` for a deadline that never comes. */
function milliseconds(seconds: string | null | undefined): number {
  return Number(seconds) * 1000
}
