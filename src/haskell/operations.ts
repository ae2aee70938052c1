import type { SharedOperation } from '../postgres/batcher.ts'
import type { Row } from '../postgres/driver.ts'
import { plainArray, textArray } from '../postgres/encoding.ts'
import type { Effect, Operation } from '../postgres/operation.ts'
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
  const single = unproven(load, 'none', (keys: ShownKeys) => ask([keys]), find)
  return {
    single: () => single,
    batch: unproven(load, 'none', ask, (rows, calls: readonly ShownKeys[]) =>
      calls.map((keys) => find(rows, keys)),
    ),
    sessionOf: ([key]) => key ?? '',
    isExclusive: false,
    sizeOf: () => 0,
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
  const single = unproven(
    touch,
    'idempotent',
    (id: string) => note([id]),
    () => 'touched' as const,
  )
  return {
    single: () => single,
    batch: unproven(touch, 'idempotent', note, (_rows, ids: readonly string[]) =>
      ids.map(() => 'touched' as const),
    ),
    sessionOf: (id) => id,
    isExclusive: false,
    sizeOf: () => 0,
  }
}

/** An operation whose answer proves nothing; `operation()` makes those that do. */
function unproven<Call, Answer>(
  prepared: Operation<Call, Answer>['prepared'],
  effect: Effect,
  give: (call: Call) => readonly (string | null)[],
  read: (rows: readonly Row[], call: Call) => Answer,
): Operation<Call, Answer> {
  return {
    name: prepared.name,
    effect,
    prepared,
    statement: (call) => ({ ...prepared, values: give(call) }),
    read,
  }
}
