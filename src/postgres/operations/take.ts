import type { Lifetime, Precondition, TakeResult } from '../../store/session-store.ts'
import { type AnswerRow, onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { giveGuard, guardTypes, lifetimeTypes } from './session-parameters.ts'
import { touchLive } from './session-sql.ts'

/** The entry to take. */
export interface TakenEntry extends Precondition {
  readonly lifetime: Lifetime
  readonly key: Uint8Array
}

/** Removes one entry of a live session and gives its value to one caller. */
export function takeOperation({
  session,
  sessionData,
}: TableNames): Operation<TakenEntry, TakeResult> {
  return operation({
    name: 'take',
    effect: 'once',
    parameters: { ...guardTypes, ...lifetimeTypes, key: bytes },
    give: (entry: TakenEntry) => ({
      ...giveGuard(entry),
      ...entry.lifetime,
      key: entry.key,
    }),
    sql: (given) => ({
      live: touchLive(session, given),
      taken: `
        delete from ${sessionData}
        where session_id = ${given.id} and key = ${given.key} and exists (select from live)
        returning value`,
      answer: `
        select (select count(*) from live) > 0 as live,
          (select encode(value, 'base64') from taken) as value`,
    }),
    rows: readTaken,
  })
}

export function readTaken(rows: readonly AnswerRow[]): TakeResult {
  const row = onlyRow(rows)
  if (!row.boolean('live')) return { status: 'gone' }
  return { status: 'taken', value: row.bytesOrNull('value') }
}
