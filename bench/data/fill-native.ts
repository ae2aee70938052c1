import type { Client } from 'pg'
import { nativeSchema } from '../store-level/contenders/native.ts'
import { FIRST_TIME } from './visitors.ts'

/** Visitors from one number up to, but without, another. */
export interface Fill {
  readonly dataset: string
  readonly from: number
  readonly to: number
  readonly data: Readonly<Record<string, unknown>>
  /** How long ago they expired; null for sessions that live. */
  readonly expired: string | null
}

const STEP = 200_000

/**
 * Writes the sessions of visitors by SQL, as the store would have written them one by one, into tables
 * that the store has made. A million takes a minute rather than ten.
 */
export async function fillNative(
  admin: Client,
  { dataset, from, to, data, expired }: Fill,
  onProgress: (done: number) => void,
): Promise<void> {
  const schema = nativeSchema(dataset)
  // No foreign key is checked row by row: the sessions are there.
  await admin.query('set session_replication_role = replica')
  for (let begin = from; begin < to; begin += STEP) {
    const end = Math.min(to, begin + STEP)
    await admin.query(
      `insert into ${schema}.session (id, secret_hash, created_at, last_access_at, token_issued_at,
          expires_at, absolute_expires_at, purge_at)
        select ${ID}, sha256(convert_to(md5('secret ' || i), 'UTF8')), now(), now(), now(),
          ${expired === null ? LIVE : `now() - $3::interval, 'infinity', now() - $3::interval`}
        from generate_series($1::bigint, $2::bigint - 1) as v (i)`,
      expired === null ? [begin, end] : [begin, end, expired],
    )
    await admin.query(
      `insert into ${schema}.session_data (session_id, key, value)
        select ${ID}, convert_to(d.key, 'UTF8'), convert_to(d.value, 'UTF8')
        from generate_series($1::bigint, $2::bigint - 1) as v (i),
          unnest($3::text[], $4::text[]) as d (key, value)`,
      [begin, end, Object.keys(data), Object.values(data).map((value) => JSON.stringify(value))],
    )
    onProgress(end - from)
  }
  await admin.query('reset session_replication_role')
  await admin.query(`vacuum analyze ${schema}.session`)
  await admin.query(`vacuum analyze ${schema}.session_data`)
}

/** As `visitor` in `visitors.ts` does it. */
const ID = `(lpad(to_hex(${FIRST_TIME} + i), 12, '0')
          || '7' || substr(md5('id ' || i), 1, 3)
          || 'a' || substr(md5('id ' || i), 4, 3)
          || substr(md5('id ' || i), 7, 12))::uuid`

const LIVE = `now() + interval '3 hours', 'infinity', now() + interval '6 hours'`
