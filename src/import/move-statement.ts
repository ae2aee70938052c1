import { UndecodableError } from '../errors.ts'
import type { AnswerRow } from '../postgres/answer-rows.ts'
import { type Operation, operation } from '../postgres/operation.ts'
import { entriesByIdTypes, giveEntriesById } from '../postgres/operations/session-parameters.ts'
import { bytes, duration, float, list, text, uuid } from '../postgres/parameter-types.ts'
import { insertSessions } from '../postgres/session-columns.ts'
import type { TableNames } from '../postgres/table-names.ts'
import type { ImportSource, MovableSession } from './import-source.ts'
import { markOf } from './mark.ts'

/** What became of one session. */
export type MoveOutcome =
  | 'moved'
  /** It is here, or has been moved here before and may have ended since. Its row there stays. */
  | 'known'
  /** Another transaction holds the row, has just changed it, or was faster. */
  | 'busy'

/** Sessions to move; it answers with what became of each, in their order. */
export type MoveOperation = Operation<readonly MovableSession[], readonly MoveOutcome[]>

/**
 * Moves sessions in one statement: takes out there the rows that still are what was read, and makes the
 * sessions here, with a mark for each.
 *
 * The mark is a row that is dead from the beginning and that no token fits. It outlives the session, so
 * that a row which the other system writes late, from what it still held in memory, brings nothing back.
 * Purge removes it in the end. Sent again after a lost answer it would call moved sessions known.
 *
 * @param absolute - Milliseconds from now to the absolute deadline; `Infinity` for none.
 */
export function moveOperation(
  { session, sessionData }: TableNames,
  claim: ReturnType<ImportSource['claim']>,
  absolute: number,
): MoveOperation {
  return operation({
    name: 'move_sessions',
    effect: 'once',
    parameters: { ...candidateTypes, absolute: duration, ...entriesByIdTypes },
    give: (sessions: readonly MovableSession[]) => ({
      ...giveCandidates(sessions),
      absolute,
      ...giveEntriesById(sessions.map(({ id, entries }) => ({ id, written: entries }))),
    }),
    sql: ({ owners, keys, values, ...given }) => ({
      ...candidates(session, given),
      ...claim,
      moving: `
        select c.*, least(claimed.expires_at, now() + interval '3650 days',
            now() + ${given.absolute}) as expires_at
        from claimed join candidate c using (position)`,
      marked: `
        ${insertMarks(session, { id: 'mark', until: 'now() + remember' }, 'from moving')}
        on conflict (id) do nothing
        returning id`,
      created: `
        ${insertSessions(
          session,
          {
            id: 'id',
            secret_hash: 'hash',
            user_id: 'user_id',
            own_idle_ms: 'own_idle_ms',
            created_at: pastTime('created_ms'),
            last_access_at: pastTime('accessed_ms'),
            token_issued_at: pastTime('accessed_ms'),
            expires_at: 'expires_at',
            absolute_expires_at: `least('infinity'::timestamptz, now() + ${given.absolute})`,
            purge_at: 'expires_at',
          },
          'from moving where mark in (select id from marked)',
        )}
        on conflict (id) do nothing
        returning id`,
      written: `
        insert into ${sessionData} (session_id, key, value)
        select created.id, e.key, e.value
        from created join unnest(${owners}, ${keys}, ${values}) as e (id, key, value)
          on e.id = created.id`,
      answer: `
        select c.position,
          case
            when c.id in (select id from created) then 'moved'
            when c.position in (select position from free) then 'busy'
            else 'known'
          end as outcome
        from candidate c`,
    }),
    rows: readOutcomes,
  })
}

/** Tells which sessions would be moved, and moves none. */
export function rehearseMove({ session }: TableNames): MoveOperation {
  return operation({
    name: 'rehearse_move',
    effect: 'none',
    parameters: candidateTypes,
    give: giveCandidates,
    sql: (given) => ({
      ...candidates(session, given),
      answer: `
        select c.position,
          case when c.position in (select position from free) then 'moved' else 'known' end as outcome
        from candidate c`,
    }),
    rows: readOutcomes,
  })
}

/** Inserts marks, which no token fits. */
export function insertMarks(
  session: string,
  { id, until }: { readonly id: string; readonly until: string },
  from: string,
): string {
  return insertSessions(
    session,
    {
      id,
      secret_hash: "decode(repeat('00', 32), 'hex')",
      created_at: 'now()',
      last_access_at: 'now()',
      token_issued_at: 'now()',
      expires_at: 'now()',
      absolute_expires_at: 'now()',
      purge_at: until,
    },
    from,
  )
}

const candidateTypes = {
  rows: list(text),
  versions: list(text),
  ids: list(uuid),
  marks: list(uuid),
  hashes: list(bytes),
  users: list(text),
  ownIdles: list(float),
  created: list(float),
  accessed: list(float),
  remembered: list(duration),
}

function giveCandidates(sessions: readonly MovableSession[]) {
  return {
    rows: sessions.map(({ key }) => key),
    versions: sessions.map(({ version }) => version),
    ids: sessions.map(({ id }) => id),
    marks: sessions.map(({ id }) => markOf(id)),
    hashes: sessions.map(({ secretHash }) => secretHash),
    users: sessions.map(({ userId }) => userId),
    ownIdles: sessions.map(({ ownIdleTimeout }) => ownIdleTimeout),
    created: sessions.map(({ createdAt }) => createdAt),
    accessed: sessions.map(({ lastAccessAt }) => lastAccessAt),
    remembered: sessions.map(({ rememberFor }) => rememberFor),
  }
}

function candidates(session: string, given: Readonly<Record<keyof typeof candidateTypes, string>>) {
  return {
    candidate: `
        select *
        from unnest(
            ${given.rows}, ${given.versions}, ${given.ids}, ${given.marks}, ${given.hashes},
            ${given.users}, ${given.ownIdles}, ${given.created}, ${given.accessed},
            ${given.remembered}
          ) with ordinality
          as c (key, version, id, mark, hash, user_id, own_idle_ms, created_ms, accessed_ms,
            remember, position)`,
    free: `
        select position, key, version, id
        from candidate c
        where not exists (select from ${session} s where s.id in (c.id, c.mark))`,
  }
}

function readOutcomes(
  rows: readonly AnswerRow[],
  sessions: readonly MovableSession[],
): readonly MoveOutcome[] {
  const outcomes = new Map(rows.map((row) => [row.number('position'), row.text('outcome')]))
  return sessions.map((_, index) => {
    const outcome = outcomes.get(index + 1)
    if (outcome === undefined) throw new UndecodableError('a session is missing')
    return outcome as MoveOutcome
  })
}

// LEAST ignores nulls, so an unknown time is now.
function pastTime(milliseconds: string): string {
  return `least(now(), to_timestamp(${milliseconds} / 1000))`
}
