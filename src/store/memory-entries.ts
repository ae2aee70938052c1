import type { MemoryRecords } from './memory-records.ts'
import type {
  EntryRequest,
  EntryUpdate,
  FetchResult,
  Lifetime,
  Precondition,
  TakeResult,
  UpdateResult,
} from './session-store.ts'

// The calls of a memory store about single entries.

export function fetchEntries(
  records: MemoryRecords,
  { secretHashes, keys, ...guard }: EntryRequest,
): FetchResult {
  const now = records.begin()
  const record = records.find(guard, now)
  const works = record?.accepts(secretHashes) || record?.previousIs(secretHashes, now) === 'working'
  if (!record || !works) return { status: 'gone' }
  const entries = keys.flatMap((key) => {
    const value = record.get(key)
    return value === null ? [] : [{ key, value }]
  })
  return { status: 'found', entries }
}

export function updateEntry(records: MemoryRecords, update: EntryUpdate): UpdateResult {
  const now = records.begin()
  const record = records.find(update, now)
  if (!record) return { status: 'gone' }
  const current = record.get(update.key)
  if (!areEqual(current, update.expected)) return { status: 'changed', current }
  record.noteAccess(update.lifetime, now)
  if (update.value) record.set(update.key, update.value)
  else record.delete(update.key)
  return { status: 'updated' }
}

export function takeEntry(
  records: MemoryRecords,
  {
    lifetime,
    key,
    ...guard
  }: Precondition & { readonly lifetime: Lifetime; readonly key: Uint8Array },
): TakeResult {
  const now = records.begin()
  const record = records.find(guard, now)
  if (!record) return { status: 'gone' }
  record.noteAccess(lifetime, now)
  const value = record.get(key)
  record.delete(key)
  return { status: 'taken', value }
}

function areEqual(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a && b ? Buffer.compare(a, b) === 0 : a === b
}
