import { type Operation, operation } from '../operation.ts'
import { text } from '../parameter-types.ts'
import { type FoundUser, packUser, readUserRow, type UserRowSql } from './user-row.ts'

/** A column of the application's table. */
export interface UserColumn {
  readonly name: string
  /** Without its domain and its length: `bigint`. */
  readonly type: string
  /** Whether an index makes its values unique. */
  readonly isUnique: boolean
  /** Whether the relation is a table, whose keys an index can make unique. */
  readonly isTable: boolean
  /** Whether row level security hides every row from this role. */
  readonly isHidden: boolean
}

/** Looks up the columns of a table or view in the catalog; none when there is no such table. */
export const surveyUserTable: Operation<string, readonly UserColumn[]> = operation({
  name: 'survey_user_table',
  effect: 'none',
  parameters: { table: text },
  give: (table: string) => ({ table }),
  sql: ({ table }) => ({
    answer: `
      select a.attname as name, c.relkind = 'r' as is_table,
        pg_catalog.replace(
          pg_catalog.format_type(case t.typtype when 'd' then t.typbasetype else t.oid end, null),
          '"', ''
        ) as type,
        exists (
          select from pg_catalog.pg_index as i
          where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null
            and i.indnkeyatts = 1 and i.indkey[0] = a.attnum
        ) as is_unique,
        pg_catalog.row_security_active(c.oid) and not exists (
          select from pg_catalog.pg_policy as p
          where p.polrelid = c.oid and p.polpermissive and p.polcmd::text in ('*', 'r')
            and exists (
              select from pg_catalog.unnest(p.polroles) as r (role)
              where r.role = 0 or pg_catalog.pg_has_role(r.role, 'usage')
            )
        ) as is_hidden
      from pg_catalog.pg_class as c
        join pg_catalog.pg_attribute as a on a.attrelid = c.oid
        join pg_catalog.pg_type as t on t.oid = a.atttypid
      where c.oid = pg_catalog.to_regclass(${table}) and a.attnum > 0 and not a.attisdropped
      order by a.attnum`,
  }),
  rows: (rows) =>
    rows.map((row) => ({
      name: row.text('name'),
      type: row.text('type'),
      isUnique: row.boolean('is_unique'),
      isTable: row.boolean('is_table'),
      isHidden: row.boolean('is_hidden'),
    })),
})

/** Runs the query for no user, so that the server says what it cannot do with it. */
export function tryUserQuery(rows: UserRowSql): Operation<void, FoundUser> {
  return operation({
    name: 'try_user_query',
    effect: 'none',
    parameters: {},
    give: () => ({}),
    sql: () => ({
      answer: `select ${packUser(rows, 'given.id')} as packed from (select null::text as id) as given`,
    }),
    packed: readUserRow,
  })
}
