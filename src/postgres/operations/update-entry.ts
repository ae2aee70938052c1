import type { EntryUpdate, UpdateResult } from '../../store/session-store.ts'
import { type AnswerRow, onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { giveGuard, guardTypes, lifetimeTypes } from './session-parameters.ts'
import { touchLive } from './session-sql.ts'

/** The operations that write one entry of a live session if it holds what the caller saw. */
export interface UpdateEntry {
  for(update: EntryUpdate): Operation<EntryUpdate, UpdateResult>
  readonly all: readonly Operation<EntryUpdate, UpdateResult>[]
}

export function updateEntry(names: TableNames): UpdateEntry {
  const { sessionData } = names
  const absent = updateOperation(
    names,
    'update_absent',
    ({ id, key, value }) => `
        insert into ${sessionData} (session_id, key, value)
        select ${id}, ${key}, ${value}
        from live
        on conflict (session_id, key) do nothing
        returning key`,
  )
  const present = updateOperation(
    names,
    'update_present',
    ({ id, key, value, expected }) => `
        update ${sessionData}
        set value = ${value}
        where session_id = ${id} and key = ${key} and value = ${expected}
          and exists (select from live)
        returning key`,
  )
  const removed = updateOperation(
    names,
    'update_removed',
    ({ id, key, expected }) => `
        delete from ${sessionData}
        where session_id = ${id} and key = ${key} and value = ${expected}
          and exists (select from live)
        returning key`,
  )
  return {
    for: ({ value, expected }) => (value === null ? removed : expected === null ? absent : present),
    all: [absent, present, removed],
  }
}

const types = { ...guardTypes, ...lifetimeTypes, key: bytes, value: bytes, expected: bytes }

function updateOperation(
  { session, sessionData }: TableNames,
  name: string,
  change: (given: Readonly<Record<keyof typeof types, string>>) => string,
): Operation<EntryUpdate, UpdateResult> {
  return operation({
    name,
    effect: 'once',
    parameters: types,
    give: (update: EntryUpdate) => ({
      ...giveGuard(update),
      ...update.lifetime,
      key: update.key,
      value: update.value,
      expected: update.expected,
    }),
    sql: (given) => ({
      live: touchLive(session, given),
      changed: change(given),
      // What the key held when the statement began.
      answer: `
        select (select count(*) from live) > 0 as live, (select count(*) from changed) > 0 as changed, (
            select encode(value, 'base64')
            from ${sessionData}
            where session_id = ${given.id} and key = ${given.key}
          ) as current`,
    }),
    rows: readUpdate,
  })
}

export function readUpdate(
  rows: readonly AnswerRow[],
  { value, expected }: Pick<EntryUpdate, 'value' | 'expected'>,
): UpdateResult {
  const row = onlyRow(rows)
  if (!row.boolean('live')) return { status: 'gone' }
  const current = row.bytesOrNull('current')
  const isDone = row.boolean('changed') || (value === null && expected === null && !current)
  return isDone ? { status: 'updated' } : { status: 'changed', current }
}
