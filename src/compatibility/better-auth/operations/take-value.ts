import { type Operation, operation } from '../../../postgres/operation.ts'
import { bytes, uuid } from '../../../postgres/parameter-types.ts'
import type { TableNames } from '../../../postgres/table-names.ts'

/** A value to remove. */
export interface TakeValue {
  readonly id: string
  readonly key: Uint8Array
}

/** Removes a live value with its row, and gives it to exactly one caller. Null if there is none. */
export function takeValue({
  session,
  sessionData,
}: TableNames): Operation<TakeValue, Uint8Array | null> {
  return operation({
    name: 'take_value',
    effect: 'once',
    parameters: { id: uuid, key: bytes },
    give: ({ id, key }: TakeValue) => ({ id, key }),
    sql: ({ id, key }) => ({
      live: `
        select s.id
        from ${session} as s
        where s.id = ${id} and s.expires_at > now()
        for update`,
      // Returned by the deletion rather than read, so that it is the value that goes.
      taken: `
        delete from ${sessionData}
        where session_id = ${id} and key = ${key} and exists (select from live)
        returning value`,
      ended: `
        delete from ${session}
        where id = ${id} and exists (select from taken)`,
      answer: `select encode(value, 'base64') as value from taken`,
    }),
    rows: ([row]) => row?.bytesOrNull('value') ?? null,
  })
}
