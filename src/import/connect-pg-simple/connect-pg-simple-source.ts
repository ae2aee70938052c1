import { createHash } from 'node:crypto'
import type { Statement } from '../../postgres/driver.ts'
import type { ImportSource } from '../import-source.ts'
import type { OldTable } from './old-table.ts'
import { type RowReading, readRow } from './read-row.ts'

const LARGEST = 4_194_304

/** The table of connect-pg-simple as a source of sessions to move. */
export class ConnectPgSimpleSource implements ImportSource {
  readonly name = 'connect-pg-simple'
  readonly read: ImportSource['read']
  readonly #table: OldTable

  constructor(table: OldTable, reading: RowReading) {
    this.#table = table
    this.read = (row) => readRow(row, reading)
  }

  page(after: string | null, { rows, bytes }: { rows: number; bytes: number }): Statement {
    return named(
      'page',
      `
      select sid, ${CONTENT}
      from (
        select *, sum(size) over (order by place) - size as before
        from (
          select old.sid as place, ${columns(this.#table)}
          from ${this.#table.name} old
          where $1::text is null or old.sid > ${this.#table.sid('$1::text')}
          order by old.sid
          limit $2::text::int
        ) page
      ) page
      where before < $3::text::bigint
      order by place`,
      [after, String(rows), String(bytes)],
    )
  }

  count(): Statement {
    return countStatement(this.#table)
  }

  claim(held: 'skip' | 'wait'): string {
    return claim(this.#table, held === 'skip' ? 'skip locked' : '')
  }
}

/** Counts what a table holds. Scans it once. */
export function countStatement({ name, deadline }: OldTable): Statement {
  return named(
    'count',
    `
      select count(*) filter (where ${deadline} > now())::text as live,
        count(*) filter (where ${deadline} <= now())::text as expired
      from ${name} old`,
    [],
  )
}

function named(verb: string, text: string, values: readonly (string | null)[]): Statement {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8)
  return { name: `pg_sessions_connect_${verb}_${hash}`, text, values }
}

/** Some make the column as text, or without `not null`. What is no JSON is said to be none when it is read. */
const SESS = `coalesce(old.sess::text, '')`

/** Over the text, since an access changes the deadline of a row and nothing else. */
const VERSION = `encode(sha256(convert_to(${SESS}, 'UTF8')), 'hex')`

export function columns({ deadline }: OldTable): string {
  return `old.sid::text as sid, ${SESS} as sess, octet_length(${SESS}) as size,
            ${VERSION} as version, ${deadline} as deadline`
}

export const CONTENT: string = `case when size <= ${LARGEST} then sess end as sess, version,
        date_part('epoch', deadline)::text as deadline, (deadline > now())::text as is_live`

/** Rows are held before they are deleted, since a delete alone cannot pass over held ones. */
function claim({ name, deadline, sid }: OldTable, locking: string): string {
  return `held as (
        select old.sid, free.position
        from free join ${name} old on old.sid = ${sid('free.key')}
        where ${VERSION} = free.version and ${deadline} > now()
        order by old.sid
        for update of old ${locking}
      ), claimed as (
        delete from ${name} old
        using held
        where old.sid = held.sid
        returning held.position, ${deadline} as expires_at
      )`
}
