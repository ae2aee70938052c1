import type { Entry } from '../../store/session-record.ts'
import type { InspectedEntry, InspectedSession } from '../../store/store-inspector.ts'
import type { AnswerRow } from '../answer-rows.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, integer, list, text, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** Each statement stops at its limit, and finds its rows by an index. */
type Inspect<Call, Answer = readonly InspectedSession[]> = Operation<Call, Answer>

/** The last of all ids. */
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Sessions before an id, the newest first; expired ones too, so that it passes over none. */
export function inspectNewest({
  session,
}: TableNames): Inspect<{ readonly before: string | null; readonly limit: number }> {
  return operation({
    name: 'inspect_newest',
    effect: 'none',
    parameters: { before: uuid, limit: integer },
    give: ({ before, limit }: { readonly before: string | null; readonly limit: number }) => ({
      before: before ?? LAST,
      limit,
    }),
    sql: ({ before, limit }) => ({
      answer: `
        select ${COLUMNS} from ${session} as s
        where s.id < ${before}
        order by s.id desc limit ${limit}`,
    }),
    rows: (rows) => rows.map(inspected),
  })
}

/** Sessions of a user. A user with very many is cut off before they are sorted. */
export function inspectUser({
  session,
}: TableNames): Inspect<{ readonly userId: string; readonly limit: number }> {
  return operation({
    name: 'inspect_user',
    effect: 'none',
    parameters: { user: text, limit: integer },
    give: ({ userId, limit }: { readonly userId: string; readonly limit: number }) => ({
      user: userId,
      limit,
    }),
    sql: ({ user, limit }) => ({
      found: `select * from ${session} where user_id = ${user} limit ${limit}`,
      answer: `select ${COLUMNS} from found as s order by s.last_access_at desc, s.id desc`,
    }),
    rows: (rows) => rows.map(inspected),
  })
}

/** Sessions with a tag, by the index of tags. */
export function inspectTag({
  session,
}: TableNames): Inspect<{ readonly tag: string; readonly limit: number }> {
  return operation({
    name: 'inspect_tag',
    effect: 'none',
    parameters: { tag: text, limit: integer },
    give: (search: { readonly tag: string; readonly limit: number }) => search,
    sql: ({ tag, limit }) => ({
      found: `select * from ${session} where tags @> array[${tag}] limit ${limit}`,
      answer: `select ${COLUMNS} from found as s order by s.last_access_at desc, s.id desc`,
    }),
    rows: (rows) => rows.map(inspected),
  })
}

/** Labels are in no index, so it looks at the newest sessions only. */
export function inspectLabel({ session }: TableNames): Inspect<{
  readonly label: string
  readonly among: number
  readonly limit: number
}> {
  return operation({
    name: 'inspect_label',
    effect: 'none',
    parameters: { label: text, among: integer, limit: integer },
    give: (search: { readonly label: string; readonly among: number; readonly limit: number }) =>
      search,
    sql: ({ label, among, limit }) => ({
      newest: `select * from ${session} order by id desc limit ${among}`,
      answer: `
        select ${COLUMNS} from newest as s
        where strpos(lower(s.device ->> 'label'), lower(${label})) > 0
        order by s.id desc limit ${limit}`,
    }),
    rows: (rows) => rows.map(inspected),
  })
}

export function inspectSession({ session }: TableNames): Inspect<string, InspectedSession | null> {
  return operation({
    name: 'inspect_session',
    effect: 'none',
    parameters: { id: uuid },
    give: (id: string) => ({ id }),
    sql: ({ id }) => ({ answer: `select ${COLUMNS} from ${session} as s where s.id = ${id}` }),
    rows: ([row]) => (row === undefined ? null : inspected(row)),
  })
}

/** `octet_length` reads the size of a large value without the value. */
export function inspectKeys({
  sessionData,
}: TableNames): Inspect<
  { readonly id: string; readonly limit: number },
  readonly InspectedEntry[]
> {
  return operation({
    name: 'inspect_keys',
    effect: 'none',
    parameters: { id: uuid, limit: integer },
    give: (search: { readonly id: string; readonly limit: number }) => search,
    sql: ({ id, limit }) => ({
      answer: `
        select encode(d.key, 'base64') as key, octet_length(d.value) as size
        from ${sessionData} as d
        where d.session_id = ${id}
        order by d.key limit ${limit}`,
    }),
    rows: (rows) =>
      rows.map((row) => ({
        key: row.bytesOrNull('key') ?? new Uint8Array(),
        size: row.number('size'),
      })),
  })
}

export function inspectEntries({
  sessionData,
}: TableNames): Inspect<
  { readonly id: string; readonly keys: readonly Uint8Array[]; readonly bytes: number },
  readonly Entry[]
> {
  return operation({
    name: 'inspect_entries',
    effect: 'none',
    parameters: { id: uuid, keys: list(bytes), most: integer },
    give: (search: {
      readonly id: string
      readonly keys: readonly Uint8Array[]
      readonly bytes: number
    }) => ({ id: search.id, keys: search.keys, most: search.bytes }),
    sql: ({ id, keys, most }) => ({
      answer: `
        select encode(d.key, 'base64') as key, encode(d.value, 'base64') as value
        from ${sessionData} as d
        where d.session_id = ${id} and d.key = any (${keys}) and octet_length(d.value) <= ${most}`,
    }),
    rows: (rows) =>
      rows.map((row) => ({
        key: row.bytesOrNull('key') ?? new Uint8Array(),
        value: row.bytesOrNull('value') ?? new Uint8Array(),
      })),
  })
}

const COLUMNS = `
          s.id, s.user_id, s.expires_at > now() as is_live, s.device::text as device,
          array_to_json(s.tags)::text as tags,
          ${milliseconds('created_at')}, ${milliseconds('authenticated_at')},
          ${milliseconds('last_access_at')}, ${milliseconds('expires_at')},
          ${milliseconds('absolute_expires_at')}`

/** Null for infinity, which JSON does not have. */
function milliseconds(column: string): string {
  return `floor(nullif(date_part('epoch', s.${column}), 'infinity') * 1000) as ${column}`
}

function inspected(row: AnswerRow): InspectedSession {
  const device = row.textOrNull('device')
  const tags = row.textOrNull('tags')
  return {
    ...(device === null ? {} : { device }),
    ...(tags === null ? {} : { tags: JSON.parse(tags) }),
    id: row.text('id'),
    userId: row.textOrNull('user_id'),
    createdAt: row.number('created_at'),
    authenticatedAt: row.numberOrNull('authenticated_at'),
    lastAccessAt: row.number('last_access_at'),
    expiresAt: row.numberOrNull('expires_at') ?? Number.POSITIVE_INFINITY,
    absoluteExpiresAt: row.numberOrNull('absolute_expires_at') ?? Number.POSITIVE_INFINITY,
    isLive: row.boolean('is_live'),
  }
}
