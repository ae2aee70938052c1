import { type Operation, operation } from '../../postgres/operation.ts'
import { readTaken, type TakenEntry } from '../../postgres/operations/take.ts'
import { readUpdate } from '../../postgres/operations/update-entry.ts'
import { bytes } from '../../postgres/parameter-types.ts'
import type { EntryUpdate, TakeResult, UpdateResult } from '../../store/session-store.ts'
import type { WaiTableNames } from '../wai-table-names.ts'
import { giveGuard, guardTypes, touchLive } from './guard.ts'

type Update = Operation<EntryUpdate, UpdateResult>

/** The operations that write one entry of a live session if it holds what the caller saw. */
export function updateEntry(
  names: WaiTableNames,
  timeout: number,
): { for(update: EntryUpdate): Update } {
  const { data } = names
  const absent = updateOperation(
    names,
    timeout,
    'wai_update_absent',
    // A row without a value counts as no entry, so it may be filled.
    ({ id, key, value }) => `
        insert into ${data} as d (wai_pg_session, key, value)
        select ${id}, ${key}, ${value}
        from live
        on conflict (wai_pg_session, key) do update set value = excluded.value
          where d.value is null
        returning key`,
  )
  const present = updateOperation(
    names,
    timeout,
    'wai_update_present',
    (given) => `
        update ${data}
        set value = ${given.value}
        where ${isEntry(given)} and value = ${given.expected} and exists (select from live)
        returning key`,
  )
  const removed = updateOperation(
    names,
    timeout,
    'wai_update_removed',
    (given) => `
        delete from ${data}
        where ${isEntry(given)} and value = ${given.expected} and exists (select from live)
        returning key`,
  )
  return {
    for: ({ value, expected }) => (value === null ? removed : expected === null ? absent : present),
  }
}

const types = { ...guardTypes, key: bytes, value: bytes, expected: bytes }

function updateOperation(
  { sessions, data }: WaiTableNames,
  timeout: number,
  name: string,
  change: (given: Readonly<Record<keyof typeof types, string>>) => string,
): Update {
  return operation({
    name,
    effect: 'once',
    parameters: types,
    give: (update: EntryUpdate) => ({
      ...giveGuard(update),
      key: update.key,
      value: update.value,
      expected: update.expected,
    }),
    sql: (given) => ({
      live: touchLive(sessions, given, timeout, 'id'),
      changed: change(given),
      answer: `
        select (select count(*) from live) > 0 as live, (select count(*) from changed) > 0 as changed,
          (select encode(value, 'base64') from ${data} where ${isEntry(given)}) as current`,
    }),
    rows: readUpdate,
  })
}

/** Removes one entry of a live session and gives its value to one caller. */
export function takeOperation(
  { sessions, data }: WaiTableNames,
  timeout: number,
): Operation<Omit<TakenEntry, 'lifetime'>, TakeResult> {
  return operation({
    name: 'wai_take',
    effect: 'once',
    parameters: { ...guardTypes, key: bytes },
    give: (entry: Omit<TakenEntry, 'lifetime'>) => ({ ...giveGuard(entry), key: entry.key }),
    sql: (given) => ({
      live: touchLive(sessions, given, timeout, 'id'),
      taken: `
        delete from ${data}
        where ${isEntry(given)} and exists (select from live)
        returning value`,
      answer: `
        select (select count(*) from live) > 0 as live,
          (select encode(value, 'base64') from taken) as value`,
    }),
    rows: readTaken,
  })
}

function isEntry({ id, key }: Readonly<Record<'id' | 'key', string>>): string {
  return `wai_pg_session = ${id} and key = ${key}`
}
