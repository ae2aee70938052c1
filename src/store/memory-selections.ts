import { TooManySessionsError } from '../errors.ts'
import type { MemoryRecord } from './memory-record.ts'
import type { MemoryRecords } from './memory-records.ts'
import type {
  EndedPage,
  EndedSession,
  EndingPage,
  LiveSession,
  NewSession,
  SessionSummary,
  StoredSession,
} from './session-store.ts'

// The calls of a memory store about more sessions than one.

/** Whether a record is one of those that a call is about. */
type Selection = (record: MemoryRecord) => boolean

export const ofUser =
  (userId: string): Selection =>
  (record) =>
    record.userId === userId

export const withTag =
  (tag: string): Selection =>
  (record) =>
    record.tags.includes(tag)

export function listLive(records: MemoryRecords, isMeant: Selection): readonly SessionSummary[] {
  const now = records.begin()
  return records
    .where((record) => isMeant(record) && record.isLive(now))
    .sort((a, b) => b.lastAccessAt - a.lastAccessAt || (a.id < b.id ? 1 : -1))
    .map((record) => record.listed(now))
}

export function destroyMeant(
  records: MemoryRecords,
  isMeant: Selection,
  except: readonly string[],
): readonly EndedSession[] {
  const now = records.begin()
  const ended = records.where((record) => isMeant(record) && !except.includes(record.id))
  for (const record of ended) records.remove(record.id)
  return ended.filter((record) => record.isLive(now)).map(({ id, userId }) => ({ id, userId }))
}

/**
 * Looks what a sign-in beyond the cap of its user ends.
 *
 * @param session - The session that is signed in; its id does not count.
 * @throws {TooManySessionsError} The cap refuses the sign-in.
 */
export function makeRoom(
  records: MemoryRecords,
  { id, userId, cap }: Pick<NewSession, 'id' | 'cap'> & Partial<Pick<NewSession, 'userId'>>,
  now: number,
): { end(): { readonly evicted?: readonly string[] } } {
  if (cap === undefined || typeof userId !== 'string') return { end: () => ({}) }
  const counts = (record: MemoryRecord): boolean => record.id !== id && record.actor === undefined
  const others = records
    .where((record) => counts(record) && record.userId === userId && record.isLive(now))
    .sort((a, b) => b.signedInAt - a.signedInAt || (a.id < b.id ? 1 : -1))
  const beyond = others.slice(cap.count - 1)
  if (beyond.length > 0 && cap.beyond === 'refuse') throw new TooManySessionsError(cap.count)
  return {
    end() {
      for (const record of beyond) records.remove(record.id, 'evicted')
      return { evicted: beyond.map((record) => record.id) }
    },
  }
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
    const remaining = record.times(now).expiresAt - now
    const actor = record.actor === undefined ? {} : { actor: record.actor }
    return [{ id, userId: record.userId, remaining, ...actor }]
  })
}

function byId(a: MemoryRecord, b: MemoryRecord): number {
  return a.id < b.id ? -1 : 1
}
