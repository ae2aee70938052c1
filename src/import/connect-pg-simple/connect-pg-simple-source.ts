import type { AnswerRow } from '../../postgres/answer-rows.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import { integer, text } from '../../postgres/parameter-types.ts'
import type { StoreCounts } from '../../store/session-store.ts'
import { countOldSessions } from '../count-old-sessions.ts'
import type { FoundSession, ImportSource, PageRequest } from '../import-source.ts'
import type { OldTable } from './old-table.ts'
import { type OldRow, type RowReading, readRow } from './read-row.ts'

const LARGEST = 4_194_304

/** The table of connect-pg-simple as a source of sessions to move. */
export class ConnectPgSimpleSource implements ImportSource<OldRow> {
  readonly name = 'connect-pg-simple'
  readonly page: Operation<PageRequest, readonly OldRow[]>
  readonly count: Operation<void, StoreCounts>
  readonly #table: OldTable
  readonly #reading: RowReading

  constructor(table: OldTable, reading: RowReading) {
    this.#table = table
    this.#reading = reading
    this.page = pageOperation(table)
    this.count = countOperation(table)
  }

  read(row: OldRow): FoundSession {
    return readRow(row, this.#reading)
  }

  /** Rows are held before they are deleted, since a delete alone cannot pass over held ones. */
  claim(held: 'skip' | 'wait'): Readonly<Record<'held' | 'claimed', string>> {
    const { name, deadline, sid } = this.#table
    return {
      held: `
        select old.sid, free.position
        from free join ${name} old on old.sid = ${sid('free.key')}
        where ${VERSION} = free.version and ${deadline} > now()
        order by old.sid
        for update of old ${held === 'skip' ? 'skip locked' : ''}`,
      claimed: `
        delete from ${name} old
        using held
        where old.sid = held.sid
        returning held.position, ${deadline} as expires_at`,
    }
  }
}

function pageOperation(table: OldTable): Operation<PageRequest, readonly OldRow[]> {
  return operation({
    name: 'connect_page',
    effect: 'none',
    parameters: { after: text, limit: integer, bytes: integer },
    give: ({ after, rows, bytes }: PageRequest) => ({ after, limit: rows, bytes }),
    sql: ({ after, limit, bytes }) => ({
      answer: `
        select sid, ${CONTENT}
        from (
          select *, sum(size) over (order by place) - size as before
          from (
            select old.sid as place, ${columns(table)}
            from ${table.name} old
            where ${after} is null or old.sid > ${table.sid(after)}
            order by old.sid
            limit ${limit}
          ) page
        ) page
        where before < ${bytes}
        order by place`,
    }),
    rows: (rows) => rows.map(readOldRow),
  })
}

/** Counts what a table holds. Scans it once. */
export function countOperation({ name, deadline }: OldTable): Operation<void, StoreCounts> {
  return countOldSessions('connect_count', name, `${deadline} > now()`)
}

/** Some make the column as text, or without `not null`. What is not JSON is said to be none when it is read. */
const SESS = `coalesce(old.sess::text, '')`

/** Over the text, since an access changes the deadline of a row and nothing else. */
const VERSION = `encode(sha256(convert_to(${SESS}, 'UTF8'::name)), 'hex')`

export function columns({ deadline }: OldTable): string {
  return `old.sid::text as sid, ${SESS} as sess, octet_length(${SESS}) as size,
            ${VERSION} as version, ${deadline} as deadline`
}

export const CONTENT: string = `case when size <= ${LARGEST} then sess end as sess, version,
        date_part('epoch', deadline) as deadline, deadline > now() as is_live`

export function readOldRow(row: AnswerRow): OldRow {
  return {
    sid: row.text('sid'),
    sess: row.textOrNull('sess'),
    version: row.text('version'),
    deadline: row.number('deadline') * 1000,
    isLive: row.boolean('is_live'),
  }
}
