import type { AnswerRow } from '../../postgres/answer-rows.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import { changeTypes, giveChange } from '../../postgres/operations/session-parameters.ts'
import { changeEntries } from '../../postgres/operations/session-sql.ts'
import { list, text } from '../../postgres/parameter-types.ts'
import type { SaveResult, SessionChange } from '../../store/session-store.ts'
import { readState } from '../session-state.ts'
import { isGuarded, NOTE_ACCESS, STATE } from '../sql-fragments.ts'
import type { WaiTableNames } from '../wai-table-names.ts'
import { giveGuard, guardTypes, touchLive } from './guard.ts'

/** Changes the entries of a live session, and touches it. */
export function saveOperation(
  { sessions, data }: WaiTableNames,
  timeout: number,
): Operation<SessionChange, SaveResult> {
  return operation({
    name: 'wai_save',
    effect: 'once',
    parameters: { ...guardTypes, ...changeTypes({}) },
    give: (change: SessionChange) => ({ ...giveGuard(change), ...giveChange(change) }),
    sql: (given) => ({
      live: touchLive(sessions, given, timeout, `${STATE} as state`),
      ...changeEntries(data, given, 'wai_pg_session'),
      answer: `select state, false as rotated from live`,
    }),
    rows: (rows) => readSaved(rows, timeout),
  })
}

/** A change that also gives the session another key in the place of one that the request holds. */
export interface KeyChange {
  readonly change: SessionChange
  readonly from: readonly string[]
  readonly to: string
}

/** Another key is what the flag asks for, whichever side has set it, so it is done. */
export function saveKey(
  { sessions, data }: WaiTableNames,
  timeout: number,
): Operation<KeyChange, SaveResult> {
  return operation({
    name: 'wai_save_key',
    effect: 'once',
    parameters: { ...guardTypes, ...changeTypes({}), from: list(text), to: text },
    give: ({ change, from, to }: KeyChange) => ({
      ...giveGuard(change),
      ...giveChange(change),
      from,
      to,
    }),
    sql: ({ from, to, ...given }) => {
      const holdsKey = `session_key = any (${from})`
      return {
        live: `
        update ${sessions}
        set ${NOTE_ACCESS},
          session_key = case when ${holdsKey} then ${to} else session_key end,
          session_invalidate_key = session_invalidate_key and not ${holdsKey}
        where ${isGuarded(given, timeout)}
        returning ${STATE} as state, session_key = ${to} as rotated`,
        ...changeEntries(data, given, 'wai_pg_session'),
        answer: `select state, rotated from live`,
      }
    },
    rows: (rows) => readSaved(rows, timeout),
  })
}

function readSaved([row]: readonly AnswerRow[], timeout: number): SaveResult {
  if (row === undefined) return { status: 'gone' }
  const { times, version } = readState(row.text('state'), timeout)
  return { status: 'saved', times, rotated: row.boolean('rotated'), version }
}
