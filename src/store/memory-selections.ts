import type { MemoryRecord } from './memory-record.ts'
import type { MemoryRecords } from './memory-records.ts'
import type {
  EndedPage,
  EndingPage,
  LiveSession,
  SessionSummary,
  StoredSession,
} from './session-store.ts'

// The calls of a memory store about more sessions than one.

export function listUser(records: MemoryRecords, userId: string): readonly SessionSummary[] {
  const now = records.begin()
  return records
    .where((record) => record.userId === userId && record.isLive(now))
    .sort((a, b) => b.lastAccessAt - a.lastAccessAt || (a.id < b.id ? 1 : -1))
    .map((record) => record.listed(now))
}

export function destroyUser(
  records: MemoryRecords,
  userId: string,
  except: readonly string[],
): readonly string[] {
  const now = records.begin()
  const ended = records.where((record) => record.userId === userId && !except.includes(record.id))
  for (const record of ended) records.remove(record.id)
  return ended.filter((record) => record.isLive(now)).map((record) => record.id)
}

export function readUser(records: MemoryRecords, userId: string): readonly StoredSession[] {
  const now = records.begin()
  return records
    .where((record) => record.userId === userId)
    .sort(byId)
    .map((record) => record.stored(now))
}

export function destroyPage(
  records: MemoryRecords,
  { after, before, limit }: EndingPage,
): EndedPage {
  const now = records.begin()
  const until = before ?? now
  const page = records
    .where(({ id, createdAt }) => id > (after ?? '') && createdAt <= until)
    .sort(byId)
    .slice(0, limit)
  for (const { id } of page) records.remove(id)
  const ended = page
    .filter((record) => record.isLive(now))
    .map(({ id, userId }) => ({ id, userId }))
  const last = page.length < limit ? undefined : page.at(-1)
  return { ended, next: last === undefined ? null : { after: last.id, before: until } }
}

export function findLive(records: MemoryRecords, ids: readonly string[]): readonly LiveSession[] {
  const now = records.begin()
  return ids.flatMap((id) => {
    const record = records.get(id)
    if (!record?.isLive(now)) return []
    return [{ id, userId: record.userId, remaining: record.times(now).expiresAt - now }]
  })
}

function byId(a: MemoryRecord, b: MemoryRecord): number {
  return a.id < b.id ? -1 : 1
}
