import { createHash } from 'node:crypto'
import { ENTRIES, entryList, list } from './packed-entries.ts'
import { GUARD, isLive, NOTE_ACCESS, NOW, STATE } from './sql-fragments.ts'
import type { WaiTableNames } from './wai-table-names.ts'

/** A statement's fixed half: its name and text. */
interface StatementText {
  readonly name: string
  readonly text: string
}

/** What the store asks of the two tables. */
export type WaiOperation =
  | 'load'
  | 'create'
  | 'find_created'
  | 'save'
  | 'save_token'
  | 'replace'
  | 'update_absent'
  | 'update_present'
  | 'update_removed'
  | 'take'
  | 'touch'
  | 'destroy'
  | 'standing'
  | 'count'
  | 'purge'

/** The statements by operation. */
export type WaiStatements = Readonly<Record<WaiOperation, StatementText>>

/**
 * Writes the statements for the original's tables. The rules are those of the native tables: one guarded
 * statement for each operation, every write of entries hangs on the session's row, text in and text out.
 */
export function waiStatements(names: WaiTableNames): WaiStatements {
  const texts = { ...sessionTexts(names), ...saveTexts(names), ...entryTexts(names) }
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, { name: uniqueName(name, text), text }]),
  ) as WaiStatements
}

/** Stores on other tables, or other releases, may share connections: a name stands for one text. */
function uniqueName(name: string, text: string): string {
  return `pg_sessions_wai_${name}_${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}

function sessionTexts({
  sessions,
  data,
}: WaiTableNames): Record<
  'load' | 'create' | 'find_created' | 'touch' | 'destroy' | 'standing' | 'count' | 'purge',
  string
> {
  return {
    // The original leaves key and value nullable; a null there counts as no entry.
    load: `
      select ${STATE}, session_key as key, (${isLive(2)})::text as live, (
          select ${ENTRIES}
          from ${data}
          where wai_pg_session = ${sessions}.id and key is not null and value is not null
        ) as entries
      from ${sessions}
      where session_key = any (${list(1, 'text')})`,

    create: `
      with created as (
        insert into ${sessions} (session_key, session_created_at, session_last_access)
        values ($1::text, ${NOW}, ${NOW})
        on conflict (session_key) do nothing
        returning id, ${STATE}
      ), written as (
        insert into ${data} (wai_pg_session, key, value)
        select created.id, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created, ${entryList(2)}
      )
      select state from created`,

    // A key is as hard to guess as a token, so who made it before was this very call.
    find_created: `
      select ${STATE}
      from ${sessions}
      where session_key = $1::text`,

    // A locked row is being used or ended: either way there is no access to note. A flagged row keeps its
    // version until its login is over.
    touch: `
      with free as (
        select id
        from ${sessions}
        where id = any (${list(1, 'bigint')}) and ${isLive(2)} and session_last_access + 0 < ${NOW}
          and not session_invalidate_key
        for no key update skip locked
      )
      update ${sessions}
      set ${NOTE_ACCESS}
      where id = any (array(select id from free)) and ${isLive(2)}
        and not session_invalidate_key`,

    destroy: `
      delete from ${sessions}
      where id = $1::text::bigint
        and ($3::text is null
          or (session_key = any (${list(3, 'text')}) and not session_invalidate_key))
      returning (${isLive(2)})::text as was_live`,

    // Why a session could not be ended: whether it lives, and under one of these keys.
    standing: `
      select (${isLive(2)})::text as live, (session_key = any (${list(3, 'text')}))::text as shown
      from ${sessions}
      where id = $1::text::bigint`,

    count: `
      select count(*) filter (where ${isLive(1)})::text as live,
        count(*) filter (where not ${isLive(1)})::text as expired
      from ${sessions}`,

    // Skips what others hold, a purge of the original included. Judged again after any wait.
    purge: `
      with doomed as (
        select id
        from ${sessions}
        where session_last_access < ${NOW} - $1::text::bigint
        order by session_last_access
        limit $2::text::int
        for update skip locked
      ), purged as (
        delete from ${sessions}
        where id = any (array(select id from doomed)) and not ${isLive(1)}
        returning id
      )
      select count(*)::text as purged from purged`,
  }
}

function saveTexts({
  sessions,
  data,
}: WaiTableNames): Record<'save' | 'save_token' | 'replace', string> {
  const written = `
        insert into ${data} (wai_pg_session, key, value)
        select $1::text::bigint, decode(e.key, 'hex'), decode(e.value, 'hex')
        from live, ${entryList(5)}
        on conflict (wai_pg_session, key) do update set value = excluded.value`
  const deleted = `
        delete from ${data}
        where wai_pg_session = $1::text::bigint
          and key = any (array(select decode(d.key, 'hex') from unnest(${list(4, 'text')}) as d (key)))
          and exists (select from live)`
  const holdsKey = 'session_key = any ($7::text::text[])'
  return {
    save: `
      with live as (
        update ${sessions}
        set ${NOTE_ACCESS}
        where ${GUARD}
        returning ${STATE}
      ), deleted as (${deleted}
      ), written as (${written}
      )
      select state from live`,

    // Also gives the session another key ($8) if it has the one that the request holds ($7). That is what
    // the flag asks for, whichever side has set it, so it is done.
    save_token: `
      with live as (
        update ${sessions}
        set ${NOTE_ACCESS},
          session_key = case when ${holdsKey} then $8::text else session_key end,
          session_invalidate_key = session_invalidate_key and not ${holdsKey}
        where ${GUARD}
        returning ${STATE}, (session_key = $8::text)::text as rotated
      ), deleted as (${deleted}
      ), written as (${written}
      )
      select state, rotated from live`,

    // Another row, not another key: a handler of the original keeps the row's id, and could write on.
    replace: `
      with ended as (
        delete from ${sessions}
        where ${GUARD} and session_key = any (${list(7, 'text')})
        returning id
      ), created as (
        insert into ${sessions} (session_key, session_created_at, session_last_access)
        select $4::text, ${NOW}, ${NOW}
        from ended
        returning id, ${STATE}
      ), written as (
        insert into ${data} (wai_pg_session, key, value)
        select created.id, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created, ${entryList(5)}
      )
      select state from created`,
  }
}

function entryTexts({
  sessions,
  data,
}: WaiTableNames): Record<'update_absent' | 'update_present' | 'update_removed' | 'take', string> {
  const live = `update ${sessions} set ${NOTE_ACCESS} where ${GUARD} returning id`
  const entry = `wai_pg_session = $1::text::bigint and key = decode($4::text, 'hex')`
  const changedOrCurrent = `
      select (select count(*) from live)::text as live,
        (select count(*) from changed)::text as changed,
        (select encode(value, 'hex') from ${data} where ${entry}) as current`
  return {
    // A row without a value counts as no entry, so it may be filled.
    update_absent: `
      with live as (${live}), changed as (
        insert into ${data} as d (wai_pg_session, key, value)
        select $1::text::bigint, decode($4::text, 'hex'), decode($5::text, 'hex')
        from live
        on conflict (wai_pg_session, key) do update set value = excluded.value
          where d.value is null
        returning key
      ) ${changedOrCurrent}`,

    update_present: `
      with live as (${live}), changed as (
        update ${data}
        set value = decode($5::text, 'hex')
        where ${entry} and value = decode($6::text, 'hex') and exists (select from live)
        returning key
      ) ${changedOrCurrent}`,

    update_removed: `
      with live as (${live}), changed as (
        delete from ${data}
        where ${entry} and value = decode($5::text, 'hex') and exists (select from live)
        returning key
      ) ${changedOrCurrent}`,

    take: `
      with live as (${live}), taken as (
        delete from ${data}
        where ${entry} and exists (select from live)
        returning value
      )
      select (select count(*) from live)::text as live,
        (select encode(value, 'hex') from taken) as value`,
  }
}
