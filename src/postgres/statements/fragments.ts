/** Parts that several statements share. Columns without a table's name are those of `session`. */

/**
 * An array parameter whose length the planner cannot see.
 *
 * Where it sees the length, a plan made for it always looks cheaper than the one for any length, and
 * PostgreSQL plans the statement anew at every call, which costs more than all the rest of it.
 *
 * @see https://www.postgresql.org/docs/current/sql-prepare.html
 */
export function list(parameter: number, type: string): string {
  return `(select $${parameter}::text)::${type}[]`
}

/** The entries of one session, of two array parameters. */
export function entryList(first: number): string {
  return `unnest(${list(first, 'text')}, ${list(first + 1, 'text')}) as e (key, value)`
}

/** The entries of several sessions, of three array parameters. */
export function entryListById(first: number): string {
  const lists = [list(first, 'uuid'), list(first + 1, 'text'), list(first + 2, 'text')]
  return `unnest(${lists.join(', ')}) as e (id, key, value)`
}

/**
 * Times as PostgreSQL keeps them, eight bytes each: microseconds since 2000. Far cheaper than text on both
 * sides; `rows.ts` reads them.
 */
const TIME_BYTES: string = `timestamptz_send(created_at)
          || timestamptz_send(coalesce(authenticated_at, '-infinity'))
          || timestamptz_send(last_access_at) || timestamptz_send(token_issued_at)
          || timestamptz_send(expires_at) || timestamptz_send(absolute_expires_at)
          || timestamptz_send(purge_at) || timestamptz_send(now())`

export const TIMES: string = `encode(${TIME_BYTES}, 'hex') as times`

/**
 * A session's row as bytes, each part at its place. Where there was no renewal, the hash before it is the
 * one in force, and nobody asks for it.
 */
const STATE_BYTES: string = `uuid_send(id) || secret_hash || ${TIME_BYTES}
          || int8send(coalesce(own_idle_ms, 0))
          || timestamptz_send(coalesce(previous_until, '-infinity'))
          || coalesce(previous_hash, secret_hash)`

const ENTRY_BYTES = `string_agg(
            int4send(octet_length(key)) || key || int4send(octet_length(value)) || value, ''
          )`

/** One byte string, which a client decodes at once: each key and value after its length. */
export const ENTRIES: string = `encode(${ENTRY_BYTES}, 'hex')`

export const STATE: string = `encode(${STATE_BYTES}, 'hex') as state`

/** A session's row and, behind it, its entries, in one column: reading columns costs a client. */
export function stateAndEntries(sessionData: string, id: string): string {
  return `encode(
          ${STATE_BYTES}
          || coalesce((select ${ENTRY_BYTES} from ${sessionData} where session_id = ${id}), ''),
          'hex'
        ) as state`
}

export const LIVE_AND_OWNED: string = `id = $1::text::uuid and user_id is not distinct from $2::text
          and expires_at > now()`

export const HOLDS_TOKEN: string = `encode(secret_hash, 'hex') = any ($8::text::text[])`

/**
 * Whether the token shown ($8) may be replaced: the one in force, and the one before in its grace. A
 * renewal ($14, $15, $16) replaces the latter only when its successor was never shown, and was issued so
 * long ago that its reply must have got lost.
 */
export const MAY_REPLACE_TOKEN: string = `(${HOLDS_TOKEN} or (
            encode(previous_hash, 'hex') = any ($8::text::text[]) and previous_until > now()
            and ($14::text is null or (
              previous_until > now() + $16::text::interval
              and token_issued_at <= now() - $15::text::interval
            ))
          ))`

export const NEW_COLUMNS: string = `(id, secret_hash, user_id, own_idle_ms, created_at, authenticated_at,
          last_access_at, token_issued_at, expires_at, absolute_expires_at, purge_at)`

// LEAST ignores nulls, so a timeout of null never comes.
const NEW_ABSOLUTE: string = `least('infinity'::timestamptz, now() + n.absolute)`
const NEW_EXPIRY: string = `least('infinity'::timestamptz, now() + n.absolute, now() + n.idle)`

/** Values for `NEW_COLUMNS`, of a row `n`. Purge finds a session that nobody uses again at once. */
export const NEW_VALUES: string = `n.id, decode(n.hash, 'hex'), n.user_id, n.own_idle_ms, now(),
          case when n.user_id is not null then now() end, now(), now(),
          ${NEW_EXPIRY}, ${NEW_ABSOLUTE}, ${NEW_EXPIRY}`

/** The parameters of a row `n`, from `first` on. */
export function newParameters(first: number): string {
  const types = ['uuid', 'text', 'text', 'float8', 'interval', 'interval']
  return `(${types.map((type, index) => `$${first + index}::text::${type}`).join(', ')})`
}

/**
 * Moves the deadlines of a session that is used: never back, never past the absolute one.
 *
 * The row's own idle timeout counts rather than what the caller believes, which may be out of date.
 */
export function access(idle: string, purge: string): string {
  const own = `own_idle_ms * interval '1 ms'`
  return `last_access_at = greatest(last_access_at, now()),
          expires_at = greatest(
            expires_at, least(absolute_expires_at, now() + coalesce(${own}, ${idle}))
          ),
          purge_at = greatest(
            purge_at, least(absolute_expires_at, now() + greatest(${own}, ${purge}))
          )`
}

/** Leaves the token before the one in force this long at most; `overlap` is null to leave it alone. */
export function endGrace(overlap: string): string {
  return `previous_until = case
            when previous_until is not null then least(previous_until, now() + ${overlap})
          end`
}

export function noteAccess(session: string): string {
  return `
        update ${session}
        set ${access('$3::text::interval', '$4::text::interval')}
        where ${LIVE_AND_OWNED}
        returning id
      `
}

/** Whether the update happened; if not, what the key held when the statement began. */
export function changedOrCurrent(sessionData: string): string {
  return `
      select (select count(*) from live)::text as live,
        (select count(*) from changed)::text as changed,
        (
          select encode(value, 'hex')
          from ${sessionData}
          where session_id = $1::text::uuid and key = decode($5::text, 'hex')
        ) as current`
}

export function timestamp(parameter: number): string {
  return `to_timestamp($${parameter}::text::float8 / 1000)`
}
