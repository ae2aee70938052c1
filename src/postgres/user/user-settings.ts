import { ConfigurationError } from '../../errors.ts'
import { type OptionTable, option, unchecked } from '../../options/option.ts'
import { readOptions } from '../../options/read-options.ts'
import { shown } from '../../options/shown.ts'
import type { StandardSchema } from '../../options/standard-schema.ts'
import { bindUserId } from './own-query.ts'

/** Where the signed-in user's row lies, which is read with the session. */
export type UserSettings<User = unknown> = (UserTable | UserQuery) & {
  /** Checks each row, gives `session.user` its type, and may transform it. */
  readonly schema?: StandardSchema<User> | undefined
}

/** Columns of a table or view. Names are taken exactly as you write them, capital letters included. */
export interface UserTable {
  /** The columns, separated by commas: `'id, name, role'`. */
  readonly select: string
  /** The table, with its schema if it has one: `'app.users'`. */
  readonly from: string
  /** The column that holds what you pass to `signIn`. It must be unique. */
  readonly key: string
}

/** A query of your own. */
export interface UserQuery {
  /** `select`s at most one row for the user id `$1`, which is text: `'… where id = $1::bigint'`. */
  readonly query: string
}

/** The same, checked. Names are quoted for SQL. */
export type UserSource =
  | {
      readonly kind: 'table'
      /** By the name that a row has in `session.user`. */
      readonly columns: readonly string[]
      readonly table: string
      readonly key: string
    }
  | { readonly kind: 'query'; bind(userId: string): string }

/** A source with the schema of its rows. */
export interface JoinedUserOptions {
  readonly source: UserSource
  readonly schema: StandardSchema<unknown> | undefined
}

const FORM =
  "{ select: 'id, name', from: 'app.users', key: 'id' } or { query: 'select … where id = $1' }"

const text = unchecked<string>('text')
const TABLE: OptionTable<UserTable & UserQuery & { schema: StandardSchema<unknown> }> = {
  select: text,
  from: text,
  key: text,
  query: text,
  schema: unchecked<StandardSchema<unknown>>('a schema'),
} as never

/** The option `user`. */
export const userOption: OptionTable<{ user: JoinedUserOptions | undefined }>['user'] = option<
  JoinedUserOptions,
  undefined
>(FORM, undefined, readUserSettings)

function readUserSettings(settings: unknown, name: string): JoinedUserOptions {
  const given = readOptions(name, TABLE, settings)
  const { select, from, key, query, schema } = given
  if (schema !== undefined && typeof schema['~standard']?.validate !== 'function') {
    throw new ConfigurationError(`${name}.schema must be a schema that follows Standard Schema.`)
  }
  const isTable = [select, from, key].every((part) => typeof part === 'string')
  const isQuery = typeof query === 'string'
  const isMixed = isQuery && [select, from, key].some((part) => part !== undefined)
  if (isMixed || isTable === isQuery) throw new ConfigurationError(`${name} must be ${FORM}.`)
  if (isQuery) {
    bindUserId(name, query, '')
    return { source: { kind: 'query', bind: (userId) => bindUserId(name, query, userId) }, schema }
  }
  const columns = select.split(',').map((column) => readName(`${name}.select`, column))
  const table = from.split('.').map((part) => quoteName(readName(`${name}.from`, part)))
  if (table.length > 2)
    throw new ConfigurationError(`${name}.from must be a table, or schema.table.`)
  const source: UserSource = {
    kind: 'table',
    columns,
    table: table.join('.'),
    key: readName(`${name}.key`, key),
  }
  return { source, schema }
}

/** A name as written, with or without quotes. */
function readName(option: string, written: string): string {
  const name = /^\s*(?:"(?<quoted>[^"\0]+)"|(?<plain>[\p{L}_][\p{L}\p{N}_$]*))\s*$/u.exec(
    written,
  )?.groups
  const found = name?.quoted ?? name?.plain
  if (found !== undefined) return found
  throw new ConfigurationError(
    `${option} takes names of columns and tables, such as id or app.users; ${shown(written.trim())} is none. For anything else write a query: ${FORM}.`,
  )
}

/** A name as SQL has it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
