import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import session, { type SessionValue, type Store } from 'express-session'
import { Pool } from 'pg'
import { createClient as createClient6 } from 'redis'
import { createClient as createClient5 } from 'redis-5'
import { IDLE_TIMEOUT, SAMPLE, type Visitor } from '../../data/visitors.ts'
import { type Contender, forEach, type OpenContender } from '../contender.ts'

export const openConnectPgSimple: OpenContender = async ({ postgres }, visitors) =>
  openStore(await connectPgSimpleStore(postgres, 'bench_pg_simple'), visitors)

export function openConnectRedis(client: RedisClientVersion): OpenContender {
  return async ({ redis }, visitors) =>
    openStore(await connectRedisStore(client, redis as string), visitors)
}

export const openExpressMemory: OpenContender = (_servers, visitors) =>
  openStore(new session.MemoryStore(), visitors)

/** A store as its documentation sets it up, on a table of its own. */
export async function connectPgSimpleStore(url: string, tableName: string): Promise<Store> {
  const pool = new Pool({ connectionString: url })
  // The table as the package's own `table.sql` makes it, whose names of constraints are fixed.
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

/** Major versions of the package `redis`: 6 puts a time limit on every command, which costs. */
export type RedisClientVersion = 5 | 6

export async function connectRedisStore(version: RedisClientVersion, url: string): Promise<Store> {
  const client = version === 5 ? createClient5({ url }) : createClient6({ url })
  client.on('error', () => {})
  await client.connect()
  return new RedisStore({ client, prefix: `bench-${version}:` }) as Store
}

async function openStore(store: Store, visitors: readonly Visitor[]): Promise<Contender> {
  let saved = 0
  const fresh = (): SessionValue => ({
    cookie: {
      originalMaxAge: IDLE_TIMEOUT,
      expires: new Date(Date.now() + IDLE_TIMEOUT),
      httpOnly: true,
      path: '/',
    },
    ...SAMPLE,
  })
  const load = ({ sid }: Visitor): Promise<SessionValue> =>
    new Promise((resolve, reject) =>
      store.get(sid, (error, value) => {
        if (error) reject(error)
        else if (value?.language !== 'en-GB') reject(new Error('get: not what was stored'))
        else resolve(value)
      }),
    )
  const done = (call: (callback: (error?: unknown) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())))

  const set = ({ sid }: Visitor, value: SessionValue): Promise<void> =>
    done((callback) => store.set(sid, value, callback))
  const touch = ({ sid }: Visitor, value: SessionValue): Promise<void> =>
    done((callback) => store.touch(sid, value, callback))
  const change = (value: SessionValue): SessionValue => {
    value.visits = 100_000 + (++saved % 100_000)
    return value
  }
  /** As `express-session` moves a cookie's deadline at each request. */
  const renew = (value: SessionValue): SessionValue => {
    value.cookie.expires = new Date(Date.now() + IDLE_TIMEOUT)
    return value
  }

  const operations = {
    load,
    save: (visitor: Visitor) => set(visitor, change(fresh())),
    touch: (visitor: Visitor) => touch(visitor, fresh()),
    'read request': async (visitor: Visitor) => touch(visitor, renew(await load(visitor))),
    'write request': async (visitor: Visitor) => set(visitor, renew(change(await load(visitor)))),
    'first save': (visitor: Visitor) => set(visitor, fresh()),
    destroy: ({ sid }: Visitor) => done((callback) => store.destroy(sid, callback)),
  }
  await forEach(visitors, operations['first save'])
  return { operations }
}
