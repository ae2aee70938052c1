import type { AnswerBytes } from '../answer-bytes.ts'
import { packText } from '../session-columns.ts'
import { quoteName, type UserSource } from './user-settings.ts'

/** How a user's row is read with the session: an SQL query of one column, for an SQL expression of the user's id. */
export type UserRowSql = (userId: string) => string

/** What a table says of its columns: the name of each type without its domain. */
export type ColumnTypes = ReadonlyMap<string, string>

/** A row that was found: none, one, or several. */
export type FoundUser = { readonly row: unknown } | 'none' | 'several'

/**
 * The row of the user whose id is `userId`, as JSON after its length.
 *
 * It is a part of the session's own row, so it can be no other session's.
 */
export function packUser(rows: UserRowSql, userId: string): string {
  return `(
            select case when count(*) > 1 then int4send(-2) else ${packText('min(found.json)')} end
            from (${rows(userId)} limit 2) as found (json)
          )`
}

export function readUserRow(bytes: AnswerBytes): FoundUser {
  const length = bytes.int()
  if (length === -2) return 'several'
  if (length < 0) return 'none'
  return { row: parseRow(bytes.take(length).toString()) }
}

/** The rows of a query of the application's own. The alias of the id is one that its names cannot hide, and `own.*` is the row even where a column is named `own`. */
export function ownRows(source: UserSource & { kind: 'query' }): UserRowSql {
  const alias = 'pg_sessions_user'
  return (userId) => `select row_to_json(own.*)::text
              from (select ${userId}) as ${alias} (id) cross join lateral (
${source.bind(`${alias}.id`)}
) as own`
}

/** The rows of a table with these columns. */
export function tableRows(
  { columns, table, key }: UserSource & { kind: 'table' },
  types: ColumnTypes,
): UserRowSql {
  const selected = columns.map((column) => {
    const name = quoteName(column)
    return `u.${name}${AS_TEXT[types.get(column) ?? ''] ?? ''} as ${name}`
  })
  const asKey = KEYS[types.get(key) ?? '']
  return (userId) => `select row_to_json(own.*)::text
              from (
                select ${selected.join(', ')}
                from ${table} as u
                where u.${quoteName(key)} = ${asKey?.(userId)}
              ) as own`
}

/** JavaScript's numbers cannot hold these, so they come as text, as `pg` gives them. */
const AS_TEXT: Readonly<Record<string, string>> = {
  bigint: '::text',
  numeric: '::text',
  'bigint[]': '::text[]',
  'numeric[]': '::text[]',
}

/** Of nineteen digits, as ids of Twitter and Discord have, some exceed a bigint. The outer case is decided first. */
const wholeNumber = (userId: string): string =>
  `case when ${userId} ~ '^(0|-?[1-9][0-9]{0,18})$' then
                  case when ${userId}::numeric between -9223372036854775808 and 9223372036854775807
                    then ${userId}::bigint end end`
const asIs = (userId: string): string => userId

/** How the text of a user's id becomes a key, for an index to serve. An id that cannot be a key finds no row. */
const KEYS: Readonly<Record<string, UserRowSql>> = {
  smallint: wholeNumber,
  integer: wholeNumber,
  bigint: wholeNumber,
  uuid: (userId) =>
    `case when ${userId} ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then ${userId}::uuid end`,
  text: asIs,
  'character varying': asIs,
}

/** The types that a key may have. */
export const KEY_TYPES: readonly string[] = Object.keys(KEYS)

/** A number that JavaScript would round comes as its digits. Numbers stand alone in JSON, outside of texts. */
function parseRow(json: string): unknown {
  if (!/\d{16}|\d\.\d{15}/.test(json)) return JSON.parse(json)
  const exact = json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => {
    if (token.startsWith('"')) return token
    const digits = token.replace(/[eE].*|[-.]/g, '').replace(/^0+/, '')
    const isExact = /^-?\d+$/.test(token)
      ? Number.isSafeInteger(Number(token))
      : digits.length <= 15
    return isExact ? token : `"${token}"`
  })
  return JSON.parse(exact)
}
