import type { AnswerBytes } from '../../postgres/answer-bytes.ts'
import type { SharedOperation } from '../../postgres/batcher.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import {
  mostSharedBytes,
  packEntries,
  packSharedEntries,
  readEntries,
} from '../../postgres/operations/packed-entries.ts'
import { integer, list, text } from '../../postgres/parameter-types.ts'
import { packText } from '../../postgres/session-columns.ts'
import type { LoadResult } from '../../store/session-store.ts'
import { readLoaded, type WaiTimes } from '../session-state.ts'
import { isLive, STATE } from '../sql-fragments.ts'
import type { WaiTableNames } from '../wai-table-names.ts'

/** The keys that a client showed, of which one may be a session's. */
export type ShownKeys = readonly string[]

type Loads = readonly (LoadResult | null)[]

/** Reads the session of a key with its entries. A dead session answers too, so that expiry can be told. */
export function loadOperation(
  names: WaiTableNames,
  times: WaiTimes,
): SharedOperation<ShownKeys, LoadResult> {
  const single = loadOf(names, 'wai_load', times.timeout, (entries) => packEntries(entries), {
    give: (keys: ShownKeys) => ({ keys, most: null }),
    packed: (answer, keys) => resultOf(readAll(answer, times), keys) ?? UNKNOWN,
  })
  return {
    single: () => single,
    batch: loadOf(names, 'wai_load_many', times.timeout, packSharedEntries, {
      give: (calls: readonly ShownKeys[]) => ({
        keys: [...new Set(calls.flat())],
        most: mostSharedBytes(calls.length),
      }),
      packed(answer, calls): Loads {
        const found = readAll(answer, times)
        return calls.map((keys) => resultOf(found, keys))
      },
    }),
    sessionOf: ([key]) => key ?? '',
    isExclusive: false,
    sizeOf: () => 0,
  }
}

function loadOf<Call, Answer>(
  { sessions, data }: WaiTableNames,
  name: string,
  timeout: number,
  pack: (entries: string, most: string) => string,
  rest: {
    give(call: Call): { readonly keys: readonly string[]; readonly most: number | null }
    packed(answer: AnswerBytes, call: Call): Answer
  },
): Operation<Call, Answer> {
  return operation({
    name,
    effect: 'none',
    parameters: { keys: list(text), most: integer },
    // The original leaves key and value nullable; a null there counts as no entry.
    sql: ({ keys, most }) => ({
      answer: `
        select ${packText('session_key')} || ${packText(STATE)} || boolsend(${isLive(timeout)})
            || ${pack(
              `${data}
              where wai_pg_session = ${sessions}.id and key is not null and value is not null`,
              most,
            )} as packed
        from ${sessions}
        where session_key = any (${keys})`,
    }),
    ...rest,
  })
}

const UNKNOWN: LoadResult = { status: 'unknown' }

/** The sessions by key; null for one that holds too much for a shared statement. */
function readAll(answer: AnswerBytes, times: WaiTimes): ReadonlyMap<string, LoadResult | null> {
  const found = new Map<string, LoadResult | null>()
  while (!answer.isAtEnd) {
    const key = String(answer.sized())
    const state = String(answer.sized())
    const isAlive = answer.boolean()
    const content = readEntries(answer)
    found.set(key, content && readLoaded(state, { isLive: isAlive, ...content }, times))
  }
  return found
}

function resultOf(
  found: ReadonlyMap<string, LoadResult | null>,
  keys: ShownKeys,
): LoadResult | null {
  const key = keys.find((each) => found.has(each))
  return key === undefined ? UNKNOWN : (found.get(key) ?? null)
}
