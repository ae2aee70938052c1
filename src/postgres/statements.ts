import { createHash } from 'node:crypto'
import type { TableNames } from './table-names.ts'

/** A statement's fixed half: its name and text. */
export interface StatementText {
  readonly name: string
  readonly text: string
}

/** The statements of the store, one for each of its operations. */
export type StoreStatements = Readonly<
  Record<
    | 'load'
    | 'create'
    | 'find_created'
    | 'save'
    | 'save_credentials'
    | 'replace'
    | 'update_absent'
    | 'update_present'
    | 'update_removed'
    | 'take'
    | 'touch'
    | 'destroy'
    | 'list_by_user'
    | 'destroy_by_user'
    | 'count'
    | 'purge',
    StatementText
  >
>

/**
 * Writes the store's statements for these tables.
 *
 * Rules that hold for all of them: one statement does the whole operation; the session's id is written
 * out wherever a table is named; every write of entries hangs on an update of the live session's row,
 * which both guards it and makes writers of one session wait for each other; time is the database's
 * `now()`. Parameters and columns are text, bytes go as hexadecimal.
 */
export function storeStatements(names: TableNames): StoreStatements {
  const { session, sessionData } = names

  const texts: Record<keyof StoreStatements, string> = {
    // Served by both primary keys. A dead session answers too, so that expiry can be told from guessing.
    load: `
      select ${SUMMARY},
        encode(secret_hash, 'hex') as secret_hash,
        case when previous_until > now() then encode(previous_hash, 'hex') end as previous_hash,
        (expires_at > now())::text as is_live,
        (
          select string_agg(encode(key, 'hex') || ' ' || encode(value, 'hex'), ',')
          from ${sessionData}
          where session_id = $1::text::uuid
        ) as entries
      from ${session}
      where id = $1::text::uuid`,

    create: `
      with created as (
        insert into ${session} ${NEW_COLUMNS}
        values ${newValues(1)}
        on conflict (id) do nothing
        returning ${TIMES}
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select $1::text::uuid, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created, unnest($7::text::text[], $8::text::text[]) as e (key, value)
      )
      select * from created`,

    // Tells a repeated create, whose first answer was lost, from another session with this id.
    find_created: `
      select ${TIMES}
      from ${session}
      where id = $1::text::uuid and secret_hash = decode($2::text, 'hex')`,

    save: `
      with live as (
        update ${session}
        set ${access(3, 4)}
        where ${LIVE_AND_OWNED}
        returning ${TIMES}
      ), deleted as (
        delete from ${sessionData}
        where session_id = $1::text::uuid
          and key in (select decode(d.key, 'hex') from unnest($5::text::text[]) as d (key))
          and exists (select from live)
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select $1::text::uuid, decode(e.key, 'hex'), decode(e.value, 'hex')
        from live, unnest($6::text::text[], $7::text::text[]) as e (key, value)
        on conflict (session_id, key) do update set value = excluded.value
      )
      select * from live`,

    // Also replaces the token if it is still the one that the request holds ($8, $9). A sign-in ($10)
    // is refused as a whole when it is not; anything else is done without it.
    save_credentials: `
      with live as (
        update ${session}
        set last_access_at = greatest(last_access_at, now()),
          secret_hash = case when ${HOLDS_TOKEN} then decode($9::text, 'hex') else secret_hash end,
          previous_hash = case when ${HOLDS_TOKEN} then null else previous_hash end,
          previous_until = case when ${HOLDS_TOKEN} then null else previous_until end,
          token_issued_at = greatest(token_issued_at, now()),
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
        where ${LIVE_AND_OWNED} and ($10::text is null or ${HOLDS_TOKEN})
        returning ${TIMES}, (secret_hash = decode($9::text, 'hex'))::text as rotated
      ), deleted as (
        delete from ${sessionData}
        where session_id = $1::text::uuid
          and key in (select decode(d.key, 'hex') from unnest($5::text::text[]) as d (key))
          and exists (select from live)
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select $1::text::uuid, decode(e.key, 'hex'), decode(e.value, 'hex')
        from live, unnest($6::text::text[], $7::text::text[]) as e (key, value)
        on conflict (session_id, key) do update set value = excluded.value
      )
      select * from live`,

    // The old session's entries go by the cascade, which sees what other requests wrote meanwhile.
    replace: `
      with ended as (
        delete from ${session}
        where ${LIVE_AND_OWNED}
        returning id
      ), created as (
        insert into ${session} ${NEW_COLUMNS}
        select v.* from ended, (values ${newValues(3)}) as v
        returning ${TIMES}
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select $3::text::uuid, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created, unnest($9::text::text[], $10::text::text[]) as e (key, value)
      )
      select * from created`,

    update_absent: `
      with live as (${noteAccess(session)}), changed as (
        insert into ${sessionData} (session_id, key, value)
        select $1::text::uuid, decode($5::text, 'hex'), decode($6::text, 'hex')
        from live
        on conflict (session_id, key) do nothing
        returning key
      ) ${changedOrCurrent(sessionData)}`,

    update_present: `
      with live as (${noteAccess(session)}), changed as (
        update ${sessionData}
        set value = decode($6::text, 'hex')
        where session_id = $1::text::uuid and key = decode($5::text, 'hex')
          and value = decode($7::text, 'hex') and exists (select from live)
        returning key
      ) ${changedOrCurrent(sessionData)}`,

    update_removed: `
      with live as (${noteAccess(session)}), changed as (
        delete from ${sessionData}
        where session_id = $1::text::uuid and key = decode($5::text, 'hex')
          and value = decode($6::text, 'hex') and exists (select from live)
        returning key
      ) ${changedOrCurrent(sessionData)}`,

    take: `
      with live as (${noteAccess(session)}), taken as (
        delete from ${sessionData}
        where session_id = $1::text::uuid and key = decode($5::text, 'hex')
          and exists (select from live)
        returning value
      )
      select (select count(*) from live)::text as live,
        (select encode(value, 'hex') from taken) as value`,

    // Touches no indexed column while the purge bound covers the deadline, so the row stays heap-only.
    touch: `
      update ${session}
      set ${access(2, 3)}
      where id = $1::text::uuid and expires_at > now()`,

    destroy: `
      delete from ${session}
      where id = $1::text::uuid and ($2::text is null or user_id = $2::text)
      returning (expires_at > now())::text as was_live`,

    // Served by the partial index on user_id.
    list_by_user: `
      select ${SUMMARY}
      from ${session}
      where user_id = $1::text and expires_at > now()
      order by last_access_at desc, id desc`,

    destroy_by_user: `
      delete from ${session}
      where user_id = $1::text
        and id <> all ($2::text::uuid[])
      returning id::text as id, (expires_at > now())::text as was_live`,

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

  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, { name: uniqueName(name, text), text }]),
  ) as unknown as StoreStatements
}

const TIMES = `
          date_part('epoch', created_at)::text as created_at,
          date_part('epoch', authenticated_at)::text as authenticated_at,
          date_part('epoch', last_access_at)::text as last_access_at,
          date_part('epoch', expires_at)::text as expires_at,
          date_part('epoch', absolute_expires_at)::text as absolute_expires_at,
          date_part('epoch', purge_at)::text as purge_at,
          date_part('epoch', now())::text as now`

const SUMMARY = `id::text as id, user_id, own_idle_ms::text as own_idle_ms, ${TIMES}`

const LIVE_AND_OWNED = `id = $1::text::uuid and user_id is not distinct from $2::text
          and expires_at > now()`

const HOLDS_TOKEN = `encode(secret_hash, 'hex') = any ($8::text::text[])`

const NEW_COLUMNS = `(id, secret_hash, user_id, own_idle_ms, created_at, authenticated_at,
          last_access_at, token_issued_at, expires_at, absolute_expires_at, purge_at)`

/** Values for `NEW_COLUMNS`: id, hash, user, own idle timeout, idle, absolute from `first` on. */
function newValues(first: number): string {
  const [id, hash, user, ownIdle, idle, absolute] = Array.from(
    { length: 6 },
    (_, index) => `$${first + index}::text`,
  )
  // LEAST ignores nulls, so a timeout of null never comes.
  const absoluteEnd = `least('infinity'::timestamptz, now() + ${absolute}::interval)`
  const end = `least(${absoluteEnd}, now() + ${idle}::interval)`
  return `(${id}::uuid, decode(${hash}, 'hex'), ${user}, ${ownIdle}::float8::bigint, now(),
          case when ${user} is not null then now() end, now(), now(),
          ${end}, ${absoluteEnd}, ${end})`
}

/** Moves the deadlines of a session that is used: never back, never past the absolute one. */
function access(idle: number, purge: number): string {
  return `last_access_at = greatest(last_access_at, now()),
          expires_at = greatest(
            expires_at, least(absolute_expires_at, now() + $${idle}::text::interval)
          ),
          purge_at = greatest(
            purge_at, least(absolute_expires_at, now() + $${purge}::text::interval)
          )`
}

function noteAccess(session: string): string {
  return `
        update ${session}
        set ${access(3, 4)}
        where ${LIVE_AND_OWNED}
        returning id
      `
}

/** Whether the update happened; if not, what the key held when the statement began. */
function changedOrCurrent(sessionData: string): string {
  return `
      select (select count(*) from live)::text as live,
        (select count(*) from changed)::text as changed,
        (
          select encode(value, 'hex')
          from ${sessionData}
          where session_id = $1::text::uuid and key = decode($5::text, 'hex')
        ) as current`
}

function timestamp(parameter: number): string {
  return `to_timestamp($${parameter}::text::float8 / 1000)`
}

/** Two stores with other tables, or two releases, may share connections: a name stands for one text. */
function uniqueName(name: string, text: string): string {
  return `pg_sessions_${name}_${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}
