import type { Pool } from 'pg'

/** The database schema of the demo's sessions: its own, so that it can share a database. */
export const SCHEMA = 'sessions_demo'

/** What the tables hold for one session. */
export interface StoredSession {
  readonly id: string
  readonly user_id: string | null
  /** The first bytes of the hash, in hexadecimal. */
  readonly hash_start: string
  readonly hash_bytes: number
  readonly created_at: Date
  /** When the user last signed in; null for an anonymous session, and while an administrator acts as the user. */
  readonly authenticated_at: Date | null
  readonly actor_id: string | null
  readonly last_access_at: Date
  readonly expires_at: Date
  readonly absolute_expires_at: Date
  /** How long the session may stay unused; the click that asks restarts it. */
  readonly idle_seconds: number
  /** How long it may live at all, and what is left of that. */
  readonly absolute_seconds: number
  readonly absolute_seconds_left: number
  readonly entries: readonly { readonly key: string; readonly value: string }[]
}

/** Moves a session's deadline to now, so that you need not wait for it. No application does this. */
export async function expireStoredSession(pool: Pool, id: string | null): Promise<void> {
  await pool.query(`update ${SCHEMA}.session set expires_at = now() where id = $1`, [id])
}

/** Moves a session's sign-in 10 minutes back, so that you need not wait. No application does this. */
export async function ageStoredSignIn(pool: Pool, id: string | null): Promise<void> {
  await pool.query(
    `update ${SCHEMA}.session set authenticated_at = authenticated_at - interval '10 minutes' where id = $1`,
    [id],
  )
}

/** Reads a session's row, as any client of the database with the right to can. Applications don't need it. */
export async function readStoredSession(
  pool: Pool,
  id: string | null,
): Promise<StoredSession | null> {
  const { rows } = await pool.query<StoredSession>(
    `select id, user_id, created_at, authenticated_at, actor_id, last_access_at, expires_at, absolute_expires_at,
       encode(substr(secret_hash, 1, 6), 'hex') as hash_start,
       octet_length(secret_hash) as hash_bytes,
       extract(epoch from expires_at - last_access_at)::float8 as idle_seconds,
       extract(epoch from absolute_expires_at - greatest(authenticated_at, created_at))::float8
         as absolute_seconds,
       extract(epoch from absolute_expires_at - now())::float8 as absolute_seconds_left,
       (
         select coalesce(json_agg(json_build_object('key', key, 'value', value) order by key), '[]')
         from ${SCHEMA}.session_entry
         where session_id = id
       ) as entries
     from ${SCHEMA}.session
     where id = $1`,
    [id],
  )
  return rows[0] ?? null
}
