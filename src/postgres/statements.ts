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
    | 'load_many'
    | 'create'
    | 'create_many'
    | 'find_created'
    | 'save'
    | 'save_many'
    | 'save_credentials'
    | 'replace'
    | 'update_absent'
    | 'update_present'
    | 'update_removed'
    | 'take'
    | 'touch'
    | 'touch_many'
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
      select ${STATE}, user_id, (
          select ${ENTRIES}
          from ${sessionData}
          where session_id = $1::text::uuid
        ) as entries
      from ${session}
      where id = $1::text::uuid`,

    load_many: `
      select ${STATE}, user_id, (
          select ${ENTRIES}
          from ${sessionData}
          where session_id = ${session}.id
        ) as entries
      from ${session}
      where id = any ($1::text::uuid[])`,

    create: `
      with created as (
        insert into ${session} ${NEW_COLUMNS}
        select ${NEW_VALUES}
        from (values ${newParameters(1)}) as n (id, hash, user_id, own_idle_ms, idle, absolute)
        on conflict (id) do nothing
        returning ${TIMES}
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select $1::text::uuid, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created, unnest($7::text::text[], $8::text::text[]) as e (key, value)
      )
      select * from created`,

    create_many: `
      with created as (
        insert into ${session} ${NEW_COLUMNS}
        select ${NEW_VALUES}
        from unnest(
            $1::text::uuid[], $2::text::text[], $3::text::text[], $4::text::float8[],
            $5::text::interval[], $6::text::interval[]
          ) as n (id, hash, user_id, own_idle_ms, idle, absolute)
        on conflict (id) do nothing
        returning id, ${TIMES}
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select created.id, decode(e.key, 'hex'), decode(e.value, 'hex')
        from created
          join unnest($7::text::uuid[], $8::text::text[], $9::text::text[]) as e (id, key, value)
            on e.id = created.id
      )
      select id::text as id, times from created`,

    // Tells a repeated create, whose first answer was lost, from another session with this id.
    find_created: `
      select ${TIMES}
      from ${session}
      where id = $1::text::uuid and secret_hash = decode($2::text, 'hex')`,

    save: `
      with live as (
        update ${session}
        set ${access('$3::text::interval', '$4::text::interval')}
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

    // Never waits: a session that somebody holds locked is left out, and saved alone.
    save_many: `
      with free as (
        select s.id, c.idle, c.purge
        from unnest(
            $1::text::uuid[], $2::text::text[], $3::text::interval[], $4::text::interval[]
          ) as c (id, user_id, idle, purge)
          join ${session} as s on s.id = c.id
        where s.user_id is not distinct from c.user_id and s.expires_at > now()
        for no key update of s skip locked
      ), live as (
        update ${session}
        set ${access('free.idle', 'free.purge')}
        from free
        where ${session}.id = free.id
        returning ${session}.id, ${TIMES}
      ), deleted as (
        delete from ${sessionData}
        using unnest($5::text::uuid[], $6::text::text[]) as d (id, key), live
        where session_id = d.id and ${sessionData}.key = decode(d.key, 'hex') and live.id = d.id
      ), written as (
        insert into ${sessionData} (session_id, key, value)
        select e.id, decode(e.key, 'hex'), decode(e.value, 'hex')
        from live
          join unnest($7::text::uuid[], $8::text::text[], $9::text::text[]) as e (id, key, value)
            on e.id = live.id
        on conflict (session_id, key) do update set value = excluded.value
      )
      select id::text as id, times from live`,

    // Also replaces the token if it is still the one that the request holds ($8, $9). A sign-in ($10)
    // is refused as a whole when it is not; anything else is done without it.
    save_credentials: `
      with live as (
        update ${session}
        set last_access_at = greatest(last_access_at, now()),
          secret_hash = case when ${HOLDS_TOKEN} then decode($9::text, 'hex') else secret_hash end,
          previous_hash = case when ${HOLDS_TOKEN} then null else previous_hash end,
          previous_until = case when ${HOLDS_TOKEN} then null else previous_until end,
          token_issued_at = greatest(token_issued_at, now() + case when ${HOLDS_TOKEN} then interval '0' end),
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
        select ${NEW_VALUES}
        from ended,
          (values ${newParameters(3)}) as n (id, hash, user_id, own_idle_ms, idle, absolute)
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
      set ${access('$2::text::interval', '$3::text::interval')}
      where id = $1::text::uuid and expires_at > now()`,

    // A session that somebody holds locked is being used or ended: either way there is nothing to note.
    touch_many: `
      with free as (
        select s.id, c.idle, c.purge
        from unnest($1::text::uuid[], $2::text::interval[], $3::text::interval[])
            as c (id, idle, purge)
          join ${session} as s on s.id = c.id
        where s.expires_at > now()
        for no key update of s skip locked
      )
      update ${session}
      set ${access('free.idle', 'free.purge')}
      from free
      where ${session}.id = free.id`,

    destroy: `
      delete from ${session}
      where id = $1::text::uuid and ($2::text is null or user_id = $2::text)
      returning (expires_at > now())::text as was_live`,

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

/** One column of words rather than many columns: reading rows is most of what a load costs a client. */
const TIME_WORDS = `date_part('epoch', created_at),
          coalesce(date_part('epoch', authenticated_at)::text, '-'),
          date_part('epoch', last_access_at), date_part('epoch', expires_at),
          date_part('epoch', absolute_expires_at), date_part('epoch', purge_at),
          date_part('epoch', now())`

const TIMES = `concat_ws(' ', ${TIME_WORDS}) as times`

const STATE = `concat_ws(' ', id, encode(secret_hash, 'hex'),
          coalesce(case when previous_until > now() then encode(previous_hash, 'hex') end, '-'),
          coalesce(own_idle_ms::text, '-'), ${TIME_WORDS}) as state`

const ENTRIES = `string_agg(encode(key, 'hex') || ' ' || encode(value, 'hex'), ',')`

const LIVE_AND_OWNED = `id = $1::text::uuid and user_id is not distinct from $2::text
          and expires_at > now()`

const HOLDS_TOKEN = `encode(secret_hash, 'hex') = any ($8::text::text[])`

const NEW_COLUMNS = `(id, secret_hash, user_id, own_idle_ms, created_at, authenticated_at,
          last_access_at, token_issued_at, expires_at, absolute_expires_at, purge_at)`

// LEAST ignores nulls, so a timeout of null never comes.
const NEW_ABSOLUTE = `least('infinity'::timestamptz, now() + n.absolute)`
const NEW_EXPIRY = `least('infinity'::timestamptz, now() + n.absolute, now() + n.idle)`

/** Values for `NEW_COLUMNS`, of a row `n`. Purge finds a session that nobody uses again at once. */
const NEW_VALUES = `n.id, decode(n.hash, 'hex'), n.user_id, n.own_idle_ms, now(),
          case when n.user_id is not null then now() end, now(), now(),
          ${NEW_EXPIRY}, ${NEW_ABSOLUTE}, ${NEW_EXPIRY}`

/** The parameters of a row `n`, from `first` on. */
function newParameters(first: number): string {
  const types = ['uuid', 'text', 'text', 'float8', 'interval', 'interval']
  return `(${types.map((type, index) => `$${first + index}::text::${type}`).join(', ')})`
}

/**
 * Moves the deadlines of a session that is used: never back, never past the absolute one.
 *
 * The row's own idle timeout counts rather than what the caller believes, which may be out of date.
 */
function access(idle: string, purge: string): string {
  const own = `own_idle_ms * interval '1 ms'`
  return `last_access_at = greatest(last_access_at, now()),
          expires_at = greatest(
            expires_at, least(absolute_expires_at, now() + coalesce(${own}, ${idle}))
          ),
          purge_at = greatest(
            purge_at, least(absolute_expires_at, now() + greatest(${own}, ${purge}))
          )`
}

function noteAccess(session: string): string {
  return `
        update ${session}
        set ${access('$3::text::interval', '$4::text::interval')}
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
