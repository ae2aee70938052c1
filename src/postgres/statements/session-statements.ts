import type { TableNames } from '../table-names.ts'
import { STATE } from './fragments.ts'

/** Ending and listing sessions across requests. */
export function sessionStatements({
  session,
}: TableNames): Record<
  'destroy' | 'list_by_user' | 'destroy_by_user' | 'find_live' | 'announce' | 'count' | 'purge',
  string
> {
  return {
    destroy: `
      delete from ${session}
      where id = $1::text::uuid and ($2::text is null or user_id = $2::text)
      returning user_id, (expires_at > now())::text as was_live`,

    // Served by the partial index on user_id.
    list_by_user: `
      select ${STATE}, user_id
      from ${session}
      where user_id = $1::text and expires_at > now()
      order by last_access_at desc, id desc`,

    destroy_by_user: `
      delete from ${session}
      where user_id = $1::text
        and id <> all ($2::text::uuid[])
      returning id::text as id, (expires_at > now())::text as was_live`,

    find_live: `
      select id::text as id, user_id, date_part('epoch', expires_at)::text as expires_at,
        date_part('epoch', now())::text as now
      from ${session}
      where id = any ($1::text::uuid[]) and expires_at > now()`,

    // Alone rather than within the statement that ended the sessions: all commits that notify take turns,
    // and here none waits for the disk meanwhile.
    announce: `
      select pg_notify($1::text, e.id)::text as announced
      from unnest($2::text::text[]) as e (id)`,

    count: `
      select count(*) filter (where expires_at > now())::text as live,
        count(*) filter (where expires_at <= now())::text as expired
      from ${session}`,

    // Served by the index on purge_at. Skips rows that others hold, so purgers share the work; the
    // outer condition is judged again after any wait, so a session that has just been used stays.
    purge: `
      with doomed as (
        select id
        from ${session}
        where purge_at <= now()
        order by purge_at
        limit $1::text::int
        for update skip locked
      ), purged as (
        delete from ${session}
        where id = any (array(select id from doomed)) and expires_at <= now()
        returning id
      )
      select count(*)::text as purged from purged`,
  }
}
