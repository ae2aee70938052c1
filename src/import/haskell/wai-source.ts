import { millisecondsOf } from '../../haskell/session-state.ts'
import { NOW } from '../../haskell/sql-fragments.ts'
import { type WaiTableNames, waiTableNames } from '../../haskell/wai-table-names.ts'
import { keyOf } from '../../haskell/wai-tokens.ts'
import { AnswerBytes } from '../../postgres/answer-bytes.ts'
import { type AnswerRow, onlyRow } from '../../postgres/answer-rows.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import { bigint, integer, text, uuid } from '../../postgres/parameter-types.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { Entry, StoreCounts } from '../../store/session-store.ts'
import { countOldSessions } from '../count-old-sessions.ts'
import type {
  FoundSession,
  ImportSource,
  PageRequest,
  UnreadableSession,
} from '../import-source.ts'
import { waiIdentity } from './wai-identity.ts'
import type { MapSession } from './wai-mapping.ts'

/** What a {@link WaiSource} needs to know of the other service. */
export interface WaiSourceOptions {
  /** The schema of its tables. */
  readonly schema: string
  /** Milliseconds from the last access to the end: its `storeSettingsSessionTimeout`. */
  readonly timeout: number
  readonly map: MapSession
  /** Whether sessions are taken that `clearSession` has marked, and that so need another key at once. */
  readonly takesFlagged: boolean
}

/** Bytes of an entry's half. A larger one is read as empty, so that it does not decode. */
const LARGEST_HALF = 4_194_304
/** Bytes of a session. */
const LARGEST = 67_108_864
const SECOND = 1000
/** Seconds. `timestamptz` goes a little further; no session lives that long here. */
const LATEST_ACCESS = 8.64e12

/** One row of the other service, with its entries. */
export interface WaiRow {
  readonly id: string
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly lastAccessAt: number
  /** Whether `clearSession` has asked for another key. */
  readonly isFlagged: boolean
  readonly isLive: boolean
  /** Null when it is too large, as for the entries. */
  readonly version: string | null
  readonly entries: readonly Entry[]
}

/** Where the session of a key is. */
export interface WaiFinding {
  readonly isHere: boolean
  /** Its row there; null when there is none. */
  readonly row: WaiRow | null
}

/** The tables of wai-session-postgresql as a source of sessions to move. */
export class WaiSource implements ImportSource<WaiRow> {
  readonly name = 'wai-session-postgresql'
  readonly page: Operation<PageRequest, readonly WaiRow[]>
  readonly count: Operation<void, StoreCounts>
  readonly #names: WaiTableNames
  readonly #options: WaiSourceOptions
  /** Whole seconds. */
  readonly #timeout: number

  /** @throws {ConfigurationError} The schema's name cannot be one. */
  constructor(options: WaiSourceOptions) {
    this.#options = options
    this.#names = waiTableNames(options.schema)
    this.#timeout = Math.round(options.timeout / SECOND)
    this.page = this.#pageOperation()
    this.count = countOldSessions('wai_import_count', this.#names.sessions, this.#isLive)
  }

  /** The cursor is the row's own id, which says nothing of the key. */
  #pageOperation(): WaiSource['page'] {
    return operation({
      name: 'wai_import_page',
      effect: 'none',
      parameters: { after: bigint, limit: integer, bytes: integer },
      give: ({ after, rows, bytes }: PageRequest) => ({ after, limit: rows, bytes }),
      sql: ({ after, limit, bytes }) => ({
        answer: `
        select ${this.#content}
        from (
          select *, sum(size) over (order by id) - size as before
          from (
            select old.*, ${sizeOf(this.#names)} as size
            from ${this.#names.sessions} old
            where ${after} is null or old.id > ${after}
            order by old.id
            limit ${limit}
          ) sized
        ) old
        where before < ${bytes}
        order by old.id`,
      }),
      rows: (rows) => rows.map(readWaiRow),
    })
  }

  /**
   * Reads the session of one key, and tells whether it is here: both as of one moment, so that a session
   * that is being moved is seen in one of the two places.
   */
  find({ session }: TableNames): Operation<string, WaiFinding> {
    return operation({
      name: 'wai_import_find',
      effect: 'none',
      parameters: { key: text, id: uuid },
      give: (key: string) => ({ key, id: waiIdentity(key).id }),
      sql: ({ key, id }) => ({
        answer: `
        select exists (select from ${session} where id = ${id} and expires_at > now()) as is_here,
          found.*
        from (values (1)) as one
          left join (
            select ${this.#content}
            from (
              select *, ${sizeOf(this.#names)} as size
              from ${this.#names.sessions} old
              where session_key = ${key}
            ) old
          ) found on true`,
      }),
      rows(rows) {
        const row = onlyRow(rows)
        const isMissing = row.textOrNull('id') === null
        return { isHere: row.boolean('is_here'), row: isMissing ? null : readWaiRow(row) }
      },
    })
  }

  read(row: WaiRow): FoundSession {
    return { cursor: row.id, content: this.#contentOf(row) }
  }

  /**
   * That a session still is what was read holds only in a transaction that sees one moment, as
   * `oneMoment` makes it. An entry that is added meanwhile then makes the cascade fail, and one that is
   * changed or removed the deletion of the entries; a cascade alone would pass over what is gone.
   */
  claim(held: 'skip' | 'wait'): Readonly<Record<'held' | 'emptied' | 'claimed', string>> {
    const { sessions, data } = this.#names
    return {
      held: `
        select old.id, free.position
        from free join ${sessions} old on old.id = free.key::bigint
        where ${versionOf(this.#names)} = free.version and ${this.#isLive}
        order by old.id
        for update of old ${held === 'skip' ? 'skip locked' : ''}`,
      emptied: `
        delete from ${data} entry
        using held
        where entry.wai_pg_session = held.id`,
      claimed: `
        delete from ${sessions} old
        using held
        where old.id = held.id
        returning held.position,
          to_timestamp(least(old.session_last_access, ${LATEST_ACCESS}) + ${this.#timeout} + 0.5)
            as expires_at`,
    }
  }

  get #isLive(): string {
    return `(old.session_last_access >= ${NOW} - ${this.#timeout})`
  }

  get #content(): string {
    const { data } = this.#names
    return `id::text as id, session_key as key, session_created_at as created,
        session_last_access as accessed, session_invalidate_key is true as is_flagged,
        ${this.#isLive} as is_live,
        case when size <= ${LARGEST} then ${versionOf(this.#names)} end as version,
        case when size <= ${LARGEST} then encode(${packed(data)}, 'base64') end as entries`
  }

  #contentOf(row: WaiRow): FoundSession['content'] {
    const { map, timeout, takesFlagged } = this.#options
    if (!row.isLive) return { status: 'expired' }
    const { key, version, createdAt, lastAccessAt } = row
    const unreadable = (problem: string, id: string | null): UnreadableSession => ({
      status: 'unreadable',
      problem,
      id,
    })
    if (keyOf(Buffer.from(key)) === null) return unreadable('a key that no cookie can hold', null)
    const { id, secretHash } = waiIdentity(key)
    if (row.isFlagged && !takesFlagged) {
      return unreadable('marked by clearSession, so that its next response brings another key', id)
    }
    if (version === null) return unreadable('larger than 64 MiB', id)
    const mapped = map(row.entries, { createdAt, lastAccessAt })
    if ('problem' in mapped) return unreadable(mapped.problem, id)
    return {
      status: 'movable',
      key: row.id,
      version,
      id,
      secretHash,
      ...mapped,
      createdAt,
      lastAccessAt,
      ownIdleTimeout: null,
      // The original never recreates a row. A copy of its tables that is put back is dead by then.
      rememberFor: timeout + SECOND,
    }
  }
}

function readWaiRow(row: AnswerRow): WaiRow {
  return {
    id: row.text('id'),
    key: row.text('key'),
    createdAt: millisecondsOf(row.number('created')),
    lastAccessAt: millisecondsOf(row.number('accessed')),
    isFlagged: row.boolean('is_flagged'),
    isLive: row.boolean('is_live'),
    version: row.textOrNull('version'),
    entries: readPacked(row.textOrNull('entries')),
  }
}

/** Reads what `packed` gives, in base64. */
function readPacked(digits: string | null): Entry[] {
  const bytes = new AnswerBytes(digits ? [digits] : [])
  const entries: Entry[] = []
  while (!bytes.isAtEnd) {
    entries.push({ key: bytes.take(bytes.int()), value: bytes.take(bytes.int()) })
  }
  return entries
}

/** What the original takes for entries: a null in either half is none. In one order, for the version. */
function entriesOf(data: string, what: string): string {
  return `(
          select ${what}
          from ${data} entry
          where entry.wai_pg_session = old.id and entry.key is not null and entry.value is not null
        )`
}

function sizeOf({ data }: WaiTableNames): string {
  const bytes = 'octet_length(entry.key) + octet_length(entry.value)'
  return entriesOf(data, `coalesce(sum(${bytes}), 0)`)
}

function packed(data: string): string {
  const halves = ['key', 'value'].map(
    (half) =>
      `case when octet_length(entry.${half}) > ${LARGEST_HALF} then int4send(0)
            else int4send(octet_length(entry.${half})) || entry.${half} end`,
  )
  return entriesOf(data, `string_agg(${halves.join(' || ')}, '' order by entry.key)`)
}

/** Over all but the times: an access changes those and nothing else. */
function versionOf(names: WaiTableNames): string {
  const { data } = names
  return `encode(sha256(
          convert_to(concat_ws(' ', old.session_key, old.session_invalidate_key, ${sizeOf(names)}), 'UTF8'::name)
          || coalesce(${packed(data)}, '')
        ), 'hex')`
}
