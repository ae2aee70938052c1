import { createHash } from 'node:crypto'
import { readEntries } from '../../haskell/packed-entries.ts'
import { NOW } from '../../haskell/sql-fragments.ts'
import { type WaiTableNames, waiTableNames } from '../../haskell/wai-table-names.ts'
import { keyOf } from '../../haskell/wai-tokens.ts'
import type { Row, Statement } from '../../postgres/driver.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { FoundSession, ImportSource, PageLimits, UnreadableSession } from '../import-source.ts'
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

/** The tables of wai-session-postgresql as a source of sessions to move. */
export class WaiSource implements ImportSource {
  readonly name = 'wai-session-postgresql'
  readonly #names: WaiTableNames
  readonly #options: WaiSourceOptions
  /** Whole seconds. */
  readonly #timeout: number

  /** @throws {ConfigurationError} The schema's name cannot be one. */
  constructor(options: WaiSourceOptions) {
    this.#options = options
    this.#names = waiTableNames(options.schema)
    this.#timeout = Math.round(options.timeout / SECOND)
  }

  /** The cursor is the row's own id, which says nothing of the key. */
  page(after: string | null, { rows, bytes }: PageLimits): Statement {
    const sized = `
        select old.*, ${sizeOf(this.#names)} as size
        from ${this.#names.sessions} old
        where $1::text is null or old.id > $1::text::bigint
        order by old.id
        limit $2::text::int`
    return named(
      'page',
      `
      select ${this.#content}
      from (
        select *, sum(size) over (order by id) - size as before
        from (${sized}) sized
      ) old
      where before < $3::text::bigint
      order by id`,
      [after, String(rows), String(bytes)],
    )
  }

  /**
   * Reads the session of one key, and tells whether it is here: both as of one moment, so that a session
   * that is being moved is seen in one of the two places.
   */
  find({ session }: TableNames, key: string): Statement {
    return named(
      'find',
      `
      select (exists (select from ${session} where id = $2::text::uuid and expires_at > now()))::text
          as is_here, found.*
      from (values (1)) as one
        left join (
          select ${this.#content}
          from (
            select *, ${sizeOf(this.#names)} as size
            from ${this.#names.sessions} old
            where session_key = $1::text
          ) old
        ) found on true`,
      [key, waiIdentity(key).id],
    )
  }

  read(row: Row): FoundSession {
    return { cursor: row.id as string, content: this.#contentOf(row) }
  }

  count(): Statement {
    return named(
      'count',
      `
      select count(*) filter (where ${this.#isLive})::text as live,
        count(*) filter (where not ${this.#isLive})::text as expired
      from ${this.#names.sessions} old`,
      [],
    )
  }

  /**
   * That a session still is what was read holds only in a transaction that sees one moment, as
   * `oneMoment` makes it. An entry that is added meanwhile then makes the cascade fail, and one that is
   * changed or removed the deletion of the entries; a cascade alone would pass over what is gone.
   */
  claim(held: 'skip' | 'wait'): string {
    const { sessions, data } = this.#names
    return `held as (
        select old.id, free.position
        from free join ${sessions} old on old.id = free.key::bigint
        where ${versionOf(this.#names)} = free.version and ${this.#isLive}
        order by old.id
        for update of old ${held === 'skip' ? 'skip locked' : ''}
      ), emptied as (
        delete from ${data} entry
        using held
        where entry.wai_pg_session = held.id
      ), claimed as (
        delete from ${sessions} old
        using held
        where old.id = held.id
        returning held.position,
          to_timestamp(old.session_last_access + ${this.#timeout} + 0.5) as expires_at
      )`
  }

  get #isLive(): string {
    return `(old.session_last_access >= ${NOW} - ${this.#timeout})`
  }

  get #content(): string {
    const { data } = this.#names
    return `id::text as id, session_key as key, session_created_at::text as created,
        session_last_access::text as accessed, session_invalidate_key::text as flagged,
        ${this.#isLive}::text as live, (size > ${LARGEST})::text as is_too_large,
        case when size <= ${LARGEST} then ${versionOf(this.#names)} end as version,
        case when size <= ${LARGEST} then encode(${packed(data)}, 'hex') end as entries`
  }

  #contentOf(row: Row): FoundSession['content'] {
    const { map, timeout, takesFlagged } = this.#options
    if (row.live !== 'true') return { status: 'expired' }
    const key = row.key as string
    const unreadable = (problem: string, id: string | null): UnreadableSession => ({
      status: 'unreadable',
      problem,
      id,
    })
    if (keyOf(Buffer.from(key)) === null) return unreadable('a key that no cookie can hold', null)
    const { id, secretHash } = waiIdentity(key)
    if (row.flagged === 'true' && !takesFlagged) {
      return unreadable('marked by clearSession, so that its next response brings another key', id)
    }
    if (row.is_too_large === 'true') return unreadable('larger than 64 MiB', id)
    const times = {
      createdAt: Number(row.created) * SECOND,
      lastAccessAt: Number(row.accessed) * SECOND,
    }
    const mapped = map(readEntries(row.entries), times)
    if ('problem' in mapped) return unreadable(mapped.problem, id)
    return {
      status: 'movable',
      key: row.id as string,
      version: row.version as string,
      id,
      secretHash,
      ...mapped,
      ...times,
      ownIdleTimeout: null,
      // The original never recreates a row. A copy of its tables that is put back is dead by then.
      rememberFor: timeout + SECOND,
    }
  }
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
          convert_to(concat_ws(' ', old.session_key, old.session_invalidate_key, ${sizeOf(names)}), 'UTF8')
          || coalesce(${packed(data)}, '')
        ), 'hex')`
}

function named(verb: string, text: string, values: readonly (string | null)[]): Statement {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8)
  return { name: `pg_sessions_wai_import_${verb}_${hash}`, text, values }
}
