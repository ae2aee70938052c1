import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { WaiStore } from 'pg-sessions/haskell'
import { fromPg } from 'pg-sessions/pg'
import { createTestDatabase } from '../support/database.ts'
import { openPostgresStore } from '../support/postgres-store.ts'
import {
  type SweptSession,
  type SweptStore,
  sweptSession,
  sweptWaiSession,
} from './swept-session.ts'

interface StoreOnOptions {
  readonly deadline?: number
  /** Whether the user's row is read with a session. */
  readonly joinsUser?: boolean
}

/** The tables that a sweep looks at. */
export interface SweptTables {
  readonly url: string
  /** Not through the proxy. */
  readonly pool: pg.Pool
  /** Not through the proxy. */
  readonly store: SweptStore
  /** A session that can be there. */
  session(): SweptSession
  storeOn(driver: Driver, options?: StoreOnOptions): SweptStore
  /** Makes a session look as old as the operations need it. */
  age(session: SweptSession): Promise<void>
  /** What is stored of a session and of the one that a call may begin, but for ids and times. */
  stored(session: SweptSession): Promise<unknown>
  dispose(): Promise<void>
}

/** The tables of `PostgresStore`. */
export async function nativeTables(): Promise<SweptTables> {
  const { pool, database, dispose } = await openPostgresStore()
  await pool.query('create table account (id text primary key, name text not null)')
  const storeOn = (
    driver: Driver,
    { deadline = 30_000, joinsUser }: StoreOnOptions = {},
  ): PostgresStore =>
    new PostgresStore({
      ...{ driver, migrate: 'off', deadline: `${deadline}ms` },
      ...(joinsUser && { user: { select: 'id, name', from: 'account', key: 'id' } }),
    })
  const store = storeOn(fromPg(pool))
  return {
    url: database.url,
    pool,
    store,
    storeOn,
    session: sweptSession,
    age: async () => {},
    stored: (session) => storedNatively(pool, session),
    dispose: async () => {
      await store.close()
      await dispose()
    },
  }
}

async function storedNatively(
  pool: pg.Pool,
  { id, userId, fresh }: SweptSession,
): Promise<unknown> {
  const { rows } = await pool.query(
    `select s.id = $1 as is_first, encode(s.secret_hash, 'hex') as hash,
       encode(s.previous_hash, 'hex') as previous, encode(s.sealed_successor, 'hex') as sealed,
       case when s.user_id = $3 then 'the same' else s.user_id end as user, s.sign_ins,
       array_remove(s.tags, 'of ' || $3) as tags, s.device::text as device, s.factor,
       s.actor_id as actor, s.purge_at - s.created_at > interval '2 hours' as was_touched,
       s.authenticated_at < s.created_at as is_backdated,
       (select json_object_agg(encode(key, 'escape'), length(value)::text || left(encode(value, 'escape'), 9) order by key)
        from sessions.session_data where session_id = s.id) as entries
     from sessions.session as s where s.id in ($1, $2) order by is_first`,
    [id, fresh.id, userId],
  )
  return rows
}

/** The tables of wai-session-postgresql. */
export async function waiTables(): Promise<SweptTables> {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 10 })
  const storeOn = (driver: Driver, { deadline = 30_000 }: StoreOnOptions = {}): WaiStore =>
    new WaiStore({ driver, timeout: '1h', migrate: 'off', deadline: `${deadline}ms` })
  await new WaiStore({ driver: fromPg(pool), timeout: '1h', deadline: '30s' }).ready()
  const store = storeOn(fromPg(pool))
  return {
    url: database.url,
    pool,
    store,
    storeOn,
    session: sweptWaiSession,
    async age({ id }) {
      await pool.query(
        'update wai_pg_sessions set session_last_access = session_last_access - 1800 where id = $1',
        [id],
      )
    },
    stored: (session) => storedByWai(pool, session),
    dispose: async () => {
      await store.close()
      await pool.end()
      await database.drop()
    },
  }
}

async function storedByWai(pool: pg.Pool, session: SweptSession): Promise<unknown> {
  const [own, next, other] = [session.secretHash, session.nextHash, session.fresh.secretHash].map(
    (hash) => Buffer.from(hash).toString(),
  )
  const { rows } = await pool.query(
    `select case s.session_key when $2 then 'own' when $3 then 'next' when $4 then 'other' end as key,
       s.session_invalidate_key as is_flagged,
       s.session_last_access > extract(epoch from now()) - 900 as was_touched,
       (select json_object_agg(encode(key, 'escape'), length(value)::text || left(encode(value, 'escape'), 9) order by key)
        from wai_pg_session_data where wai_pg_session = s.id) as entries
     from wai_pg_sessions as s where s.id = $1 or s.session_key = $4 order by key`,
    [session.id, own, next, other],
  )
  return rows
}
