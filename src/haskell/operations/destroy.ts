import { type Operation, operation } from '../../postgres/operation.ts'
import { bigint, boolean, list, text } from '../../postgres/parameter-types.ts'
import { isLive } from '../sql-fragments.ts'
import type { WaiTableNames } from '../wai-table-names.ts'

/** A row to end; for one of its keys when some are given, unless `clearSession` has marked it. */
export interface KeyedEnding {
  readonly id: string
  readonly keys?: readonly string[] | undefined
}

/**
 * Ends a session, and tells whether it was live; null when there is none of these keys.
 *
 * Not repeated by itself: a repeat does no harm, but it finds nothing of what the first attempt has ended.
 *
 * @param effect - `idempotent` for the repeat after an answer that got lost.
 */
export function destroyOperation(
  { sessions }: WaiTableNames,
  timeout: number,
  effect: 'once' | 'idempotent' = 'once',
): Operation<KeyedEnding, boolean | null> {
  return operation({
    name: 'wai_destroy',
    effect,
    parameters: { id: bigint, hasKeys: boolean, keys: list(text) },
    give: ({ id, keys }: KeyedEnding) => ({ id, hasKeys: keys !== undefined, keys: keys ?? [] }),
    sql: ({ id, hasKeys, keys }) => ({
      answer: `
        delete from ${sessions}
        where id = ${id}
          and (not ${hasKeys} or (session_key = any (${keys}) and session_invalidate_key is not true))
        returning ${isLive(timeout)} as was_live`,
    }),
    rows: ([row]) => row?.boolean('was_live') ?? null,
  })
}

/** Why a session could not be ended by these keys: it has ended, has another key, or is flagged. */
export type Standing = 'gone' | 'superseded' | 'flagged'

export function findStanding(
  { sessions }: WaiTableNames,
  timeout: number,
): Operation<Required<KeyedEnding>, Standing> {
  return operation({
    name: 'wai_standing',
    effect: 'none',
    parameters: { id: bigint, keys: list(text) },
    give: ({ id, keys }: Required<KeyedEnding>) => ({ id, keys: keys ?? [] }),
    sql: ({ id, keys }) => ({
      answer: `
        select ${isLive(timeout)} as live, session_key = any (${keys}) as shown
        from ${sessions}
        where id = ${id}`,
    }),
    rows([row]) {
      if (!row?.boolean('live')) return 'gone'
      return row.boolean('shown') ? 'flagged' : 'superseded'
    },
  })
}
