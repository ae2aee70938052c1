/** Parts that several operations share. The table of sessions goes by `s`. */

/**
 * Times in the future of columns: sums in UTC, which are IMMUTABLE. Of a column, `timestamptz + interval`
 * is STABLE, and distributed engines refuse it in a change.
 */
function inFuture(interval: string): string {
  return `((now() at time zone 'utc' + ${interval}) at time zone 'utc')`
}

/**
 * Moves the deadlines of a session `s` that is used: never back, never past the absolute one.
 *
 * The row's own idle timeout counts rather than what the caller believes, which may be out of date.
 */
export function touchColumns(idle: string, purge: string): string {
  const own = `s.own_idle_ms * interval '1 ms'`
  return `last_access_at = greatest(s.last_access_at, now()),
          expires_at = greatest(
            s.expires_at, least(s.absolute_expires_at, ${inFuture(`coalesce(${own}, ${idle})`)})
          ),
          purge_at = greatest(
            s.purge_at, least(s.absolute_expires_at, ${inFuture(`greatest(${own}, ${purge})`)})
          )`
}

/**
 * Leaves the token before the one in force of a session `s` this long at most; `overlap` is null to leave it alone.
 *
 * A difference rather than `case`, within which distributed engines refuse `now()`: null stays null.
 */
export function endGrace(overlap: string): string {
  const tooLong = `greatest(interval '0', s.previous_until - (now() + ${overlap}))`
  return `previous_until = (s.previous_until at time zone 'utc' - ${tooLong}) at time zone 'utc'`
}

/** The session `s` that a call is about, if it lives and still belongs to the same user. */
export function liveAndOwned(id: string, user: string): string {
  return `s.id = ${id} and s.user_id is not distinct from ${user} and s.expires_at > now()`
}

/** Locks and touches the session of a change of one entry. */
export function touchLive(
  session: string,
  { id, user, idle, purge }: Readonly<Record<'id' | 'user' | 'idle' | 'purge', string>>,
): string {
  return `
        update ${session} as s
        set ${touchColumns(idle, purge)}
        where ${liveAndOwned(id, user)}
        returning s.id`
}

/** Removes and writes entries of the session in `live`. */
export function changeEntries(
  sessionData: string,
  { id, deleted, keys, values }: Readonly<Record<'id' | 'deleted' | 'keys' | 'values', string>>,
): { readonly deleted: string; readonly written: string } {
  return {
    deleted: `
        delete from ${sessionData}
        where session_id = ${id} and key = any (${deleted}) and exists (select from live)`,
    written: `
        insert into ${sessionData} (session_id, key, value)
        select ${id}, e.key, e.value
        from live, unnest(${keys}, ${values}) as e (key, value)
        on conflict (session_id, key) do update set value = excluded.value`,
  }
}
