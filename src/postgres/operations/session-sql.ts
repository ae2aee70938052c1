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
  return `previous_until = (s.previous_until at time zone 'utc' - ${tooLong}) at time zone 'utc',
          sealed_successor = case when ${overlap} is null then s.sealed_successor end`
}

/** The session `s` that a call is about, if it lives and no user has signed in since the caller saw it. */
export function liveAndOwned({ id, user, version }: Readonly<GuardSql>): string {
  return `s.id = ${id} and ${isOwned({ user, version })} and s.expires_at > now()`
}

/** Whether the session `s` still belongs to the same user, by the same sign-in. */
export function isOwned({ user, version }: Readonly<Omit<GuardSql, 'id'>>): string {
  return `s.user_id is not distinct from ${user} and (${version} is null or s.sign_ins = ${version})`
}

type GuardSql = Record<'id' | 'user' | 'version', string>

/** Whether one of the hashes opens the session `s`: of the token in force, or of the one in its grace. */
export function opensTo(hashes: string): string {
  return `((s.secret_hash = any (${hashes})
          or (s.previous_hash = any (${hashes}) and s.previous_until > now())) is true)`
}

/** Locks and touches the session of a change of one entry. */
export function touchLive(
  session: string,
  { idle, purge, ...guard }: Readonly<GuardSql & Record<'idle' | 'purge', string>>,
): string {
  return `
        update ${session} as s
        set ${touchColumns(idle, purge)}
        where ${liveAndOwned(guard)}
        returning s.id`
}

/** Removes and writes entries of the session in `live`. */
export function changeEntries(
  sessionData: string,
  { id, deleted, keys, values }: Readonly<Record<'id' | 'deleted' | 'keys' | 'values', string>>,
  owner = 'session_id',
): { readonly deleted: string; readonly written: string } {
  return {
    deleted: `
        delete from ${sessionData}
        where ${owner} = ${id} and key = any (${deleted}) and exists (select from live)`,
    written: `
        insert into ${sessionData} (${owner}, key, value)
        select ${id}, e.key, e.value
        from live, unnest(${keys}, ${values}) as e (key, value)
        on conflict (${owner}, key) do update set value = excluded.value`,
  }
}

/** Removes and writes entries of the sessions in `live`, for a statement that several calls share. */
export function changeEntriesById(
  sessionData: string,
  given: Readonly<Record<'deletedFrom' | 'deleted' | 'owners' | 'keys' | 'values', string>>,
): { readonly deleted: string; readonly written: string } {
  return {
    deleted: `
        delete from ${sessionData}
        using unnest(${given.deletedFrom}, ${given.deleted}) as d (id, key), live
        where session_id = d.id and ${sessionData}.key = d.key and live.id = d.id`,
    written: `
        insert into ${sessionData} (session_id, key, value)
        select e.id, e.key, e.value
        from live join unnest(${given.owners}, ${given.keys}, ${given.values}) as e (id, key, value)
          on e.id = live.id
        on conflict (session_id, key) do update set value = excluded.value`,
  }
}
