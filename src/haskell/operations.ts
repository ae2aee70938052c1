import type { SharedOperation } from '../postgres/batcher.ts'
import type { Row } from '../postgres/driver.ts'
import { plainArray, textArray } from '../postgres/encoding.ts'
import type { LoadResult } from '../store/session-store.ts'
import { readLoad, type WaiTimes } from './rows.ts'
import type { WaiStatements } from './statements.ts'

/** What is asked for often enough for callers to share a statement. Each takes one call or many. */

/** The keys that a client showed, of which one may be a session's. */
export type ShownKeys = readonly string[]

export function loadOperation(
  { load }: WaiStatements,
  times: WaiTimes,
): SharedOperation<ShownKeys, LoadResult> {
  const ask = (calls: readonly ShownKeys[]): readonly (string | null)[] => [
    textArray(calls.flat()),
    String(times.timeout / 1000),
  ]
  const find = (rows: readonly Row[], keys: ShownKeys): LoadResult => {
    const row = rows.find(({ key }) => keys.includes(key as string))
    return row === undefined ? { status: 'unknown' } : readLoad(row, times)
  }
  return {
    repeatable: true,
    sessionOf: ([key]) => key ?? '',
    isExclusive: false,
    sizeOf: () => 0,
    one: (keys) => ({ ...load, values: ask([keys]) }),
    readOne: find,
    many: (calls) => ({ ...load, values: ask(calls) }),
    readMany: (rows, calls) => calls.map((keys) => find(rows, keys)),
  }
}

export function touchOperation(
  { touch }: WaiStatements,
  timeout: number,
): SharedOperation<string, 'touched'> {
  const note = (ids: readonly string[]): readonly (string | null)[] => [
    plainArray(ids),
    String(timeout / 1000),
  ]
  return {
    repeatable: true,
    sessionOf: (id) => id,
    isExclusive: false,
    sizeOf: () => 0,
    one: (id) => ({ ...touch, values: note([id]) }),
    readOne: () => 'touched',
    many: (ids) => ({ ...touch, values: note(ids) }),
    readMany: (_, ids) => ids.map(() => 'touched'),
  }
}
