import type { StoredValue, ValuePage, ValueReplacement } from '../../store/session-store.ts'
import { onlyRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, integer, listToChange, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

const FIRST = { sessionId: '00000000-0000-0000-0000-000000000000', key: new Uint8Array() }

/** Reads a page of the values of all sessions, in the order of the primary key, which serves it. */
export function readValues({
  sessionData,
}: TableNames): Operation<ValuePage, readonly StoredValue[]> {
  return operation({
    name: 'read_values',
    effect: 'none',
    parameters: { after: uuid, afterKey: bytes, limit: integer, most: integer },
    give: ({ after, limit, bytes: most }: ValuePage) => ({
      after: (after ?? FIRST).sessionId,
      afterKey: (after ?? FIRST).key,
      limit,
      most,
    }),
    // The length of a value is known without reading the value.
    sql: ({ after, afterKey, limit, most }) => ({
      page: `
        select session_id, key, value
        from ${sessionData}
        where (session_id, key) > (${after}, ${afterKey})
        order by session_id, key
        limit ${limit}`,
      sized: `
        select session_id, key, value,
          sum(octet_length(value)) over (order by session_id, key) - octet_length(value) as before
        from page`,
      answer: `
        select session_id, encode(key, 'base64') as key, encode(value, 'base64') as value
        from sized
        where before < ${most} or before = 0
        order by sized.session_id, sized.key`,
    }),
    rows: (rows) =>
      rows.map((row) => ({
        sessionId: row.text('session_id'),
        key: row.bytesOrNull('key') as Uint8Array,
        value: row.bytesOrNull('value') as Uint8Array,
      })),
  })
}

/**
 * Replaces values that still are what the caller saw, and tells how many.
 *
 * It waits for requests that write to the same sessions, as they wait for each other, and judges each value after
 * that: whatever was written meanwhile stays.
 */
export function replaceValues(names: TableNames): Operation<readonly ValueReplacement[], number> {
  const { session, sessionData, isDistributed } = names
  return operation({
    name: 'replace_values',
    effect: 'idempotent',
    parameters: {
      owners: listToChange(uuid, names),
      keys: listToChange(bytes, names),
      expected: listToChange(bytes, names),
      values: listToChange(bytes, names),
    },
    // Distributed engines join a change with the rows of a step, and not with those of a function.
    materialized: ['meant'],
    give: (replacements: readonly ValueReplacement[]) => ({
      owners: replacements.map(({ sessionId }) => sessionId),
      keys: replacements.map(({ key }) => key),
      expected: replacements.map(({ expected }) => expected),
      values: replacements.map(({ value }) => value),
    }),
    sql: ({ owners, keys, expected, values }) => ({
      // The order keeps two of these from waiting for each other in a circle. No lock spans several servers.
      held: `
        select s.id
        from ${session} as s
        where s.id = any (${owners})
        order by s.id
        ${isDistributed ? '' : 'for no key update'}`,
      meant: `
        select e.id, e.key, e.expected, e.value
        from unnest(${owners}, ${keys}, ${expected}, ${values}) as e (id, key, expected, value)
          join held on held.id = e.id`,
      changed: `
        update ${sessionData} as d
        set value = meant.value
        from meant
        where d.session_id = meant.id and d.key = meant.key and d.value = meant.expected
        returning d.key`,
      answer: 'select count(*) as replaced from changed',
    }),
    rows: (rows) => onlyRow(rows).number('replaced'),
  })
}
