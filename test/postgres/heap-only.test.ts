import pg from 'pg'
import { createSessions, PostgresStore, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OwnServer, startOwnServer } from '../support/own-server.ts'

/*
 * What an access costs the disk. On a server of its own, on which nothing else writes, and whose clock a
 * test can put forward: a function `now()` of ours comes before PostgreSQL's in the search path.
 */

let server: OwnServer
let observer: pg.Pool

beforeAll(async () => {
  server = await startOwnServer({
    autovacuum: 'off',
    // Else the server logs now and then which transactions are running.
    wal_level: 'minimal',
    max_wal_senders: '0',
  })
  observer = new pg.Pool({ connectionString: server.url, max: 1 })
  const store = new PostgresStore({ driver: fromPg(observer) })
  await store.ready()
  await observer.query(`
    create schema clock;
    create table clock.ahead (by interval not null);
    insert into clock.ahead values ('0');
    create function clock.now() returns timestamptz stable language sql
      as 'select pg_catalog.now() + ahead.by from clock.ahead'`)
})
afterAll(async () => {
  await observer.end()
  await server[Symbol.asyncDispose]()
})

/** Visitors who each have a session, under the clock of this test. */
interface Visitors extends AsyncDisposable {
  /** Each of them asks for a page that only reads. Resolves when what that entails is done. */
  read(): Promise<void>
}

async function welcome(count: number): Promise<Visitors> {
  const options = '-c search_path=clock,pg_catalog'
  const pool = new pg.Pool({ connectionString: server.url, options })
  const cookies: string[] = []
  for (let n = 0; n < count; n += 1) {
    const exchange = openSessions(pool).open(null)
    exchange.session.set('basket', ['apple'])
    const { setCookies } = await exchange.commit()
    cookies.push(setCookies[0]?.split(';')[0] ?? '')
    await fillPage()
  }
  return {
    async read() {
      const sessions = openSessions(pool)
      await Promise.all(cookies.map((cookie) => readPage(sessions, cookie)))
      // Accesses are noted beside the pages.
      await sessions.close()
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

function openSessions(pool: pg.Pool): Sessions {
  return createSessions({
    database: fromPg(pool),
    idleTimeout: '1h',
    migrate: 'off',
    log: false,
  })
}

/** Other people's sessions, enough that the next one comes to lie on another page. */
async function fillPage(): Promise<void> {
  await observer.query(`
    insert into sessions.session (id, secret_hash, created_at, last_access_at, token_issued_at,
      expires_at, absolute_expires_at, purge_at)
    select gen_random_uuid(), sha256(''), now(), now(), now(), now(), 'infinity', 'infinity'
    from generate_series(1, 50)`)
}

async function readPage(sessions: Sessions, cookie: string): Promise<void> {
  const exchange = sessions.open(cookie)
  expect(await exchange.session.get('basket')).toEqual(['apple'])
  await exchange.commit()
}

async function putForward(interval: string): Promise<void> {
  await observer.query('update clock.ahead set by = by + $1::interval', [interval])
}

/** How many updates of session rows there were, and how many of them were heap-only. */
async function countUpdates(): Promise<{ updates: number; heapOnly: number }> {
  const { rows } = await observer.query<{ updates: number; heapOnly: number }>(
    `select n_tup_upd::int as updates, n_tup_hot_upd::int as "heapOnly"
     from pg_stat_user_tables where schemaname = 'sessions' and relname = 'session'`,
  )
  return rows[0] ?? { updates: 0, heapOnly: 0 }
}

async function walPosition(): Promise<string> {
  const { rows } = await observer.query('select pg_current_wal_insert_lsn()::text as position')
  return rows[0].position
}

test('of 1000 touches in the lives of sessions, 95 of 100 at least are heap-only', async () => {
  const [count, visits] = [10, 100]
  {
    await using visitors = await welcome(count)
    for (let visit = 0; visit < visits; visit += 1) {
      // A little more than the touch interval, a 60th of the idle timeout.
      await putForward('61 s')
      await visitors.read()
    }
  }
  // The counts arrive when the connections that did it have ended.
  await expect.poll(async () => (await countUpdates()).updates).toBe(count * visits)
  const { updates, heapOnly } = await countUpdates()
  expect(heapOnly / updates).toBeGreaterThanOrEqual(0.95)
})

test('pages that only read within the touch interval write nothing at all to the log', async () => {
  await using visitors = await welcome(10)
  // The first reader after a write may note in a page that the write is complete.
  await visitors.read()
  await observer.query('checkpoint')
  const before = await walPosition()
  for (let round = 0; round < 20; round += 1) await visitors.read()
  expect(await walPosition()).toBe(before)

  await putForward('61 s')
  await visitors.read()
  expect(await walPosition()).not.toBe(before)
})
