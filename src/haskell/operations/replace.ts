import { type Operation, operation } from '../../postgres/operation.ts'
import { list, text } from '../../postgres/parameter-types.ts'
import type { Created, Precondition } from '../../store/session-store.ts'
import { readCreated } from '../session-state.ts'
import { isGuarded } from '../sql-fragments.ts'
import type { WaiTableNames } from '../wai-table-names.ts'
import { giveNewSession, insertSession, type KeyedSession, newSessionTypes } from './create.ts'
import { giveGuard, guardTypes } from './guard.ts'

interface Replacement {
  readonly ended: Precondition
  /** The keys that the request holds. */
  readonly shown: readonly string[]
  readonly successor: KeyedSession
}

/**
 * Ends a live session for one of its keys, and begins another; null when there is none.
 *
 * Another row, not another key: a handler of the original keeps the row's id, and could write on.
 */
export function replaceOperation(
  names: WaiTableNames,
  timeout: number,
): Operation<Replacement, Created | null> {
  return operation({
    name: 'wai_replace',
    effect: 'once',
    parameters: { ...guardTypes, shown: list(text), ...newSessionTypes },
    give: ({ ended, shown, successor }: Replacement) => ({
      ...giveGuard(ended),
      shown,
      ...giveNewSession(successor),
    }),
    sql: ({ shown, ...given }) => ({
      ended: `
        delete from ${names.sessions}
        where ${isGuarded(given, timeout)} and session_key = any (${shown})
        returning id`,
      ...insertSession(names, given, 'from ended'),
      answer: `select state from created`,
    }),
    rows: ([row]) => (row === undefined ? null : readCreated(row.text('state'), timeout)),
  })
}
