import type { TableNames } from '../table-names.ts'
import {
  access,
  endGrace,
  entryList,
  entryListById,
  HOLDS_TOKEN,
  LIVE_AND_OWNED,
  list,
  MAY_REPLACE_TOKEN,
  TIMES,
  timestamp,
} from './fragments.ts'

type SaveName = 'save' | 'save_noted' | 'save_many' | 'save_credentials' | 'touch' | 'touch_many'

/** Changing sessions that are there. */
export function saveStatements({ session, sessionData }: TableNames): Record<SaveName, string> {
  return {
    save: `
      with live as (
        update ${session}
        set ${access('$3::text::interval', '$4::text::interval')}
        where ${LIVE_AND_OWNED}
        returning ${TIMES}
      ), ${changeEntries(sessionData, 5)}
      select * from live`,

    // The lock keeps the session from ending, or passing to another user, before its entries are written.
    save_noted: `
      with live as (
        select ${TIMES}
        from ${session}
        where ${LIVE_AND_OWNED}
        for no key update
      ), ${changeEntries(sessionData, 3)}
      select * from live`,

    // Never waits: a session that somebody holds locked is left out, and saved alone.
    save_many: `
      with live as (
        select s.id, c.idle, c.purge, c.is_noted, ${TIMES}
        from unnest(
            ${list(1, 'uuid')}, ${list(2, 'text')}, ${list(3, 'interval')}, ${list(4, 'interval')},
            ${list(10, 'boolean')}
          ) as c (id, user_id, idle, purge, is_noted)
          join ${session} as s on s.id = c.id
        where s.user_id is not distinct from c.user_id and s.expires_at > now()
        for no key update of s skip locked
      ), noted as (
        update ${session}
        set ${access('live.idle', 'live.purge')}
        from live
        where ${session}.id = live.id and not live.is_noted
        returning ${session}.id, ${TIMES}
      ), deleted as (
        delete from ${sessionData}
        using unnest(${list(5, 'uuid')}, ${list(6, 'text')}) as d (id, key), live
        where session_id = d.id and ${sessionData}.key = decode(d.key, 'hex') and live.id = d.id
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select e.id, decode(e.key, 'hex'), decode(e.value, 'hex')
        from live join ${entryListById(7)} on e.id = live.id
        on conflict (session_id, key) do update set value = excluded.value
      )
      select live.id::text as id, coalesce(noted.times, live.times) as times
      from live left join noted on noted.id = live.id`,

    // Also replaces the token ($9) if the one that the request holds ($8) still works; the one that it
    // holds works on for a while ($14) when this is a renewal, and is dead when it is anything else. A
    // sign-in ($10) is refused as a whole when it does not; anything else is done without it.
    save_credentials: `
      with live as (
        update ${session}
        set last_access_at = greatest(last_access_at, now()),
          secret_hash = case when ${MAY_REPLACE_TOKEN} then decode($9::text, 'hex') else secret_hash end,
          previous_hash = case
            when $14::text is null and ${MAY_REPLACE_TOKEN} then null
            when $14::text is not null and ${HOLDS_TOKEN} then secret_hash
            else previous_hash
          end,
          previous_until = case
            when ${MAY_REPLACE_TOKEN} then now() + $14::text::interval
            else previous_until
          end,
          token_issued_at = case
            when ${MAY_REPLACE_TOKEN} then greatest(token_issued_at, now())
            else token_issued_at
          end,
          user_id = coalesce($10::text, user_id),
          authenticated_at = greatest(authenticated_at, now() + $11::text::interval),
          absolute_expires_at = coalesce(${timestamp(12)}, absolute_expires_at),
          own_idle_ms = case when $13::text = 'keep' then own_idle_ms else nullif($13::text, 'none')::float8 end,
          expires_at = greatest(
            case when $10::text is null and $12::text is null and $13::text = 'keep' then expires_at end,
            least(coalesce(${timestamp(12)}, absolute_expires_at), now() + $3::text::interval)
          ),
          purge_at = greatest(
            purge_at,
            least(coalesce(${timestamp(12)}, absolute_expires_at), now() + $4::text::interval)
          )
        where ${LIVE_AND_OWNED} and ($10::text is null or ${MAY_REPLACE_TOKEN})
        returning ${TIMES}, (secret_hash = decode($9::text, 'hex'))::text as rotated
      ), ${changeEntries(sessionData, 5)}
      select * from live`,

    // Touches no indexed column while the purge bound covers the deadline, so the row stays heap-only.
    touch: `
      update ${session}
      set ${access('$2::text::interval', '$3::text::interval')},
          ${endGrace('$4::text::interval')}
      where id = $1::text::uuid and expires_at > now()`,

    // A session that somebody holds locked is being used or ended: either way there is nothing to note.
    touch_many: `
      with free as (
        select s.id, c.idle, c.purge, c.overlap
        from unnest(
            ${list(1, 'uuid')}, ${list(2, 'interval')}, ${list(3, 'interval')}, ${list(4, 'interval')}
          ) as c (id, idle, purge, overlap)
          join ${session} as s on s.id = c.id
        where s.expires_at > now()
        for no key update of s skip locked
      )
      update ${session}
      set ${access('free.idle', 'free.purge')},
          ${endGrace('free.overlap')}
      from free
      where ${session}.id = free.id`,
  }
}

/** Removes and writes entries of the session in `live`: the keys to remove, keys and values to write. */
function changeEntries(sessionData: string, first: number): string {
  return `deleted as (
        delete from ${sessionData}
        where session_id = $1::text::uuid
          and key = any (array(select decode(d.key, 'hex') from unnest(${list(first, 'text')}) as d (key)))
          and exists (select from live)
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select $1::text::uuid, decode(e.key, 'hex'), decode(e.value, 'hex')
        from live, ${entryList(first + 1)}
        on conflict (session_id, key) do update set value = excluded.value
      )`
}
