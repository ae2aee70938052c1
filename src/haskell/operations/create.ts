import { onlyRow } from '../../postgres/answer-rows.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import {
  type Entries,
  entryTypes,
  giveEntries,
} from '../../postgres/operations/session-parameters.ts'
import { type ParameterTypes, text } from '../../postgres/parameter-types.ts'
import type { Created, Entry } from '../../store/session-store.ts'
import { readCreated } from '../session-state.ts'
import { NOW, STATE } from '../sql-fragments.ts'
import type { WaiTableNames } from '../wai-table-names.ts'

/** A session under a key that was just made. */
export interface KeyedSession {
  readonly key: string
  readonly entries: readonly Entry[]
}

interface NewSessionValues extends Entries {
  readonly newKey: string
}

export const newSessionTypes: ParameterTypes<NewSessionValues> = { newKey: text, ...entryTypes }

export function giveNewSession({ key, entries }: KeyedSession): NewSessionValues {
  return { newKey: key, ...giveEntries(entries) }
}

/** Inserts a session with its entries: steps `created`, which gives its state, and `written`. */
export function insertSession(
  { sessions, data }: WaiTableNames,
  { newKey, keys, values }: Readonly<Record<keyof NewSessionValues, string>>,
  from: string,
): { readonly created: string; readonly written: string } {
  return {
    created: `
        insert into ${sessions} (session_key, session_created_at, session_last_access)
        select ${newKey}, ${NOW}, ${NOW}
        ${from}
        returning id, ${STATE} as state`,
    written: `
        insert into ${data} (wai_pg_session, key, value)
        select created.id, e.key, e.value
        from created, unnest(${keys}, ${values}) as e (key, value)`,
  }
}

/** Makes a session; null when the key is taken. */
export function createOperation(
  names: WaiTableNames,
  timeout: number,
): Operation<KeyedSession, Created | null> {
  return operation({
    name: 'wai_create',
    effect: 'idempotent',
    parameters: newSessionTypes,
    give: giveNewSession,
    sql: (given) => ({
      ...insertSession(names, given, 'on conflict (session_key) do nothing'),
      answer: `select state from created`,
    }),
    rows: ([row]) => (row === undefined ? null : readCreated(row.text('state'), timeout)),
  })
}

/** Finds a session by its key. A key is as hard to guess as a token, so its maker was this very call. */
export function findCreated(
  { sessions }: WaiTableNames,
  timeout: number,
): Operation<string, Created | null> {
  return operation({
    name: 'wai_find_created',
    effect: 'none',
    parameters: { key: text },
    give: (key: string) => ({ key }),
    sql: ({ key }) => ({
      answer: `select ${STATE} as state from ${sessions} where session_key = ${key}`,
    }),
    rows: (rows) => (rows.length === 0 ? null : readCreated(onlyRow(rows).text('state'), timeout)),
  })
}
