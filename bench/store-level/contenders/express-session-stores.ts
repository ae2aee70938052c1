import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import session, { type SessionValue, type Store } from 'express-session'
import { Pool } from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'
import { createClient as createClient6 } from 'redis'
import { createClient as createClient5 } from 'redis-5'
import { IDLE_TIMEOUT } from '../../data/visitors.ts'
import type { OpenContender, Operation } from '../contender.ts'

export const openConnectPgSimple: OpenContender = async ({ postgres }, { name, data }) => ({
  operations: expressOperations(await connectPgSimpleStore(postgres, name), data),
})

export function openConnectRedis(
  client: RedisClientVersion,
  server: 'redis' | 'durableRedis' = 'redis',
): OpenContender {
  return async (servers, { name, data }) => ({
    operations: expressOperations(
      await connectRedisStore(client, servers[server] as string, name),
      data,
    ),
  })
}

export const openExpressMemory: OpenContender = async (_servers, { data }) => ({
  operations: expressOperations(new session.MemoryStore(), data),
})

/** A store as its documentation sets it up, on an empty table of its own. */
export async function connectPgSimpleStore(url: string, dataset: string): Promise<Store> {
  const pool = new Pool({ connectionString: url })
  const tableName = `bench_${dataset}_pg_simple`
  // As the package's own `table.sql` makes it, whose names of constraints allow for one such table.
  await pool.query(`
    drop table if exists "${tableName}";
    create table "${tableName}" (
      sid varchar not null collate "default" primary key,
      sess json not null,
      expire timestamp(6) not null
    );
    create index "${tableName}_expire" on "${tableName}" (expire)`)
  return new (connectPgSimple(session))({ pool, tableName, pruneSessionInterval: false })
}

/** Ours in the place of one of theirs, with its defaults. */
export async function pgSessionStore(url: string, dataset: string): Promise<Store> {
  const pool = new Pool({ connectionString: url })
  const schema = `bench_${dataset}`
  await pool.query(`drop schema if exists "${schema}" cascade`)
  return new PgSessionStore({ pool, schema, purgeInterval: 'never', log: false }) as Store
}

/** Major versions of the package `redis`: 6 puts a time limit on every command, which costs. */
export type RedisClientVersion = 5 | 6

export async function connectRedisStore(
  version: RedisClientVersion,
  url: string,
  dataset: string,
): Promise<Store> {
  const client = version === 5 ? createClient5({ url }) : createClient6({ url })
  client.on('error', () => {})
  await client.connect()
  return new RedisStore({ client, prefix: `${dataset}-${version}:` }) as Store
}

/** The calls that `express-session` makes of a store. */
export function expressOperations(store: Store, data: Readonly<Record<string, unknown>>) {
  let saved = 0
  let renewed = 0
  /** A deadline moves with each request, and visitors' requests are seconds apart. */
  const deadline = (): Date => new Date(Date.now() + IDLE_TIMEOUT + (++renewed % 997) * 1000)
  const fresh = (): SessionValue => ({
    cookie: {
      originalMaxAge: IDLE_TIMEOUT,
      expires: deadline(),
      httpOnly: true,
      path: '/',
    },
    ...data,
  })
  const change = (value: SessionValue): SessionValue => {
    value.visits = 100_000 + (++saved % 100_000)
    return value
  }
  /** As `express-session` moves a cookie's deadline at each request. */
  const renew = (value: SessionValue): SessionValue => {
    value.cookie.expires = deadline()
    return value
  }
  const get = (sid: string): Promise<SessionValue> =>
    new Promise((resolve, reject) =>
      store.get(sid, (error, value) => {
        if (error) reject(error)
        else if (typeof value?.visits !== 'number') reject(new Error('not what was stored'))
        else resolve(value)
      }),
    )
  const set = (sid: string, value: SessionValue): Promise<void> =>
    settled((callback) => store.set(sid, value, callback))
  const touch = (sid: string, value: SessionValue): Promise<void> =>
    settled((callback) => store.touch(sid, value, callback))

  return {
    load: ({ sid }) => get(sid),
    save: ({ sid }) => set(sid, change(fresh())),
    touch: ({ sid }) => touch(sid, fresh()),
    'read request': async ({ sid }) => touch(sid, renew(await get(sid))),
    'write request': async ({ sid }) => set(sid, renew(change(await get(sid)))),
    'write the largest': ({ sid }) => set(sid, fresh()),
    'first save': ({ sid }) => set(sid, fresh()),
    destroy: ({ sid }) => settled((callback) => store.destroy(sid, callback)),
  } satisfies Record<string, Operation>
}

function settled(call: (callback: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())))
}
