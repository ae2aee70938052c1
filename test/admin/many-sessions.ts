import type { Client } from 'pg'

/** UUIDv7: its first 48 bits are the time at which the session began. */
const ID = `(
  lpad(to_hex(floor(extract(epoch from began) * 1000)::bigint), 12, '0') || '7'
  || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15)
)::uuid`

/**
 * Fills the tables with sessions as they are in use: half of them signed in, two to a user; one in twenty dead; each
 * with one entry.
 */
export async function fillSessions(
  client: Client,
  count: number,
  schema = 'sessions',
): Promise<void> {
  await client.query(
    `insert into ${schema}.session (id, secret_hash, user_id, created_at, authenticated_at,
       last_access_at, token_issued_at, expires_at, absolute_expires_at, purge_at, device)
     select ${ID}, sha256(n::text::bytea),
       case when n % 2 = 0 then 'user-' || n / 4 end,
       began, case when n % 2 = 0 then began end, seen, began, seen + interval '1 hour',
       now() + interval '1 day', seen + interval '90 minutes',
       case when n % 2 = 0 then '{"label":"Firefox on Linux"}'::jsonb end
     from generate_series(1, $1::int) as n,
       lateral (
         select now() - n * interval '63 minutes' / $1::int as seen,
           now() - interval '1 hour' - n * interval '3 days' / $1::int as began
       ) as s`,
    [count],
  )
  await client.query(
    `insert into ${schema}.session_data (session_id, key, value)
     select id, 'basket', '[]' from ${schema}.session`,
  )
  await client.query(`vacuum analyze ${schema}.session, ${schema}.session_data`)
}
