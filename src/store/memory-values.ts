import type { MemoryRecords } from './memory-records.ts'
import type { StoredValue, ValuePage, ValueReplacement } from './session-store.ts'

/** Reads and replaces the values of all sessions of a memory store. */

export function readValues(
  records: MemoryRecords,
  { after, limit, bytes }: ValuePage,
): readonly StoredValue[] {
  const now = records.begin()
  const values = records
    .where(({ id }) => id >= (after?.sessionId ?? ''))
    .flatMap((record) =>
      record.stored(now).entries.map((entry) => ({ sessionId: record.id, ...entry })),
    )
    .sort(byPlace)
    .filter((value) => after === null || byPlace(value, after) > 0)
    .slice(0, limit)
  let size = 0
  const end = values.findIndex(({ value }) => {
    size += value.length
    return size - value.length >= bytes && size > value.length
  })
  return end === -1 ? values : values.slice(0, end)
}

export function replaceValues(
  records: MemoryRecords,
  replacements: readonly ValueReplacement[],
): number {
  records.begin()
  let count = 0
  for (const { sessionId, key, expected, value } of replacements) {
    const record = records.get(sessionId)
    const current = record?.get(key)
    if (!current || Buffer.compare(current, expected) !== 0) continue
    record?.set(key, value)
    count += 1
  }
  return count
}

type Place = Pick<StoredValue, 'sessionId' | 'key'>

function byPlace(a: Place, b: Place): number {
  if (a.sessionId !== b.sessionId) return a.sessionId < b.sessionId ? -1 : 1
  return Buffer.compare(a.key, b.key)
}
