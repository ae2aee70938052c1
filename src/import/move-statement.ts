import { createHash } from 'node:crypto'
import type { Statement } from '../postgres/driver.ts'
import { hexArray, interval, plainArray, textArray } from '../postgres/encoding.ts'
import type { TableNames } from '../postgres/table-names.ts'
import type { MovableSession } from './import-source.ts'
import { markOf } from './mark.ts'

/** What became of one session. */
export type MoveOutcome =
  | 'moved'
  /** It is here, or has been moved here before and may have ended since. Its row there stays. */
  | 'known'
  /** Another transaction holds the row, has just changed it, or was faster. */
  | 'busy'

/**
 * Moves sessions in one statement: takes out there the rows that still are what was read, and makes the
 * sessions here, with a mark for each.
 *
 * The mark is a row that is dead from the beginning and that no token fits. It outlives the session, so
 * that a row which the other system writes late, from what it still held in memory, brings nothing back.
 * Purge removes it in the end.
 *
 * @param claim - As `ImportSource.claim` gives it.
 * @param absolute - Milliseconds from now to the absolute deadline; `Infinity` for none.
 */
export function moveStatement(
  { session, sessionData }: TableNames,
  claim: string,
  sessions: readonly MovableSession[],
  absolute: number,
): Statement {
  const text = `
      with ${candidates(session)}, ${claim}, moving as (
        select c.*, least(claimed.expires_at, now() + interval '3650 days',
            now() + $11::text::interval) as expires_at,
          least('infinity'::timestamptz, now() + $11::text::interval) as absolute_expires_at
        from claimed join candidate c using (position)
      ), marked as (
        insert into ${session} ${MARK.columns}
        select ${MARK.values('mark', 'now() + remember')}
        from moving
        on conflict (id) do nothing
        returning id
      ), created as (
        insert into ${session} ${COLUMNS}
        select id, decode(hash, 'hex'), user_id, own_idle_ms,
          least(now(), ${time('created_ms')}), least(now(), ${time('accessed_ms')}),
          least(now(), ${time('accessed_ms')}), expires_at, absolute_expires_at, expires_at
        from moving
        where mark in (select id from marked)
        on conflict (id) do nothing
        returning id
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select created.id, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created
          join unnest($12::text::uuid[], $13::text::text[], $14::text::text[]) as e (id, key, value)
            on e.id = created.id
      )
      select c.position::text as position,
        case
          when c.id in (select id from created) then 'moved'
          when c.position in (select position from free) then 'busy'
          else 'known'
        end as outcome
      from candidate c`
  const entries = sessions.flatMap(({ id, entries }) => entries.map((entry) => ({ id, ...entry })))
  return {
    name: uniqueName('move_sessions', text),
    text,
    values: [
      ...candidateValues(sessions),
      interval(absolute),
      plainArray(entries.map(({ id }) => id)),
      hexArray(entries.map(({ key }) => key)),
      hexArray(entries.map(({ value }) => value)),
    ],
  }
}

/** Tells which sessions would be moved, and moves none. */
export function rehearseStatement(
  { session }: TableNames,
  sessions: readonly MovableSession[],
): Statement {
  const text = `
      with ${candidates(session)}
      select c.position::text as position,
        case when c.position in (select position from free) then 'moved' else 'known' end as outcome
      from candidate c`
  return { name: uniqueName('rehearse_move', text), text, values: candidateValues(sessions) }
}

const COLUMNS = `(id, secret_hash, user_id, own_idle_ms, created_at, last_access_at,
          token_issued_at, expires_at, absolute_expires_at, purge_at)`

/** What a mark looks like in the table of sessions. */
export const MARK: {
  readonly columns: string
  values(id: string, until: string): string
} = {
  columns: COLUMNS,
  values: (id, until) =>
    `${id}, decode(repeat('00', 32), 'hex'), null, null,
          now(), now(), now(), now(), now(), ${until}`,
}

function candidates(session: string): string {
  return `candidate as (
        select *
        from unnest(
            $1::text::text[], $2::text::text[], $3::text::uuid[], $4::text::uuid[],
            $5::text::text[], $6::text::text[], $7::text::float8[], $8::text::float8[],
            $9::text::float8[], $10::text::interval[]
          ) with ordinality
          as c (key, version, id, mark, hash, user_id, own_idle_ms, created_ms, accessed_ms,
            remember, position)
      ), free as (
        select position, key, version, id
        from candidate c
        where not exists (select from ${session} s where s.id in (c.id, c.mark))
      )`
}

function candidateValues(sessions: readonly MovableSession[]): string[] {
  const numbers = (of: (session: MovableSession) => number | null): string =>
    plainArray(sessions.map((session) => of(session)?.toString() ?? null))
  return [
    textArray(sessions.map(({ key }) => key)),
    textArray(sessions.map(({ version }) => version)),
    plainArray(sessions.map(({ id }) => id)),
    plainArray(sessions.map(({ id }) => markOf(id))),
    hexArray(sessions.map(({ secretHash }) => secretHash)),
    textArray(sessions.map(({ userId }) => userId)),
    numbers(({ ownIdleTimeout }) => ownIdleTimeout),
    numbers(({ createdAt }) => createdAt),
    numbers(({ lastAccessAt }) => lastAccessAt),
    textArray(sessions.map(({ rememberFor }) => interval(rememberFor))),
  ]
}

// LEAST ignores nulls, so an unknown time is now.
function time(milliseconds: string): string {
  return `to_timestamp(${milliseconds} / 1000)`
}

/** Several sources and sets of tables may share connections: a name stands for one text. */
function uniqueName(verb: string, text: string): string {
  return `pg_sessions_${verb}_${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}
