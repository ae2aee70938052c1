import { createHash } from 'node:crypto'
import pg from 'pg'
import { createSessions, PostgresStore, type SessionEvents, type Sessions } from 'pg-sessions'
import { fromPg, fromPgClient } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { fromClientInTransaction } from '../support/client-in-transaction.ts'
import { createTestDatabase } from '../support/database.ts'
import { Visitor } from '../support/each-store-visitor.ts'
import { watchStore } from '../support/each-store-watch.ts'
import { elapse, openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

/**
 * The defects of wai-session-postgresql 0.2.1.3 (D1 to D18 of our notes on it), each with its scenario
 * and what happens here instead.
 */

let harness: PostgresStoreHarness
let pool: pg.Pool
beforeAll(async () => {
  harness = await openPostgresStore()
  pool = harness.pool
})
beforeEach(() => pool.query('delete from sessions.session'))
afterAll(() => harness.dispose())

type Data = Record<string, unknown>

function open(settings: { idleTimeout?: '1h' } = {}): Sessions<Data> {
  return createSessions<Data>({ database: fromPg(pool), log: false, ...settings })
}

const userOf = (visitor: Visitor<Data>): Promise<string | null> =>
  visitor.visit(async (session) => session.load().then(() => session.userId))

async function count(table: 'session' | 'session_data'): Promise<number> {
  const { rowCount } = await pool.query(`select from sessions.${table}`)
  return rowCount ?? 0
}

it('D1: who polls with a planted token does not get the new one; the login request does, alone', async () => {
  const sessions = open()
  const attacker = new Visitor(sessions)
  await attacker.visit((session) => session.set('planted', 1))
  const victim = attacker.twin()

  // The victim's handler clears and then signs in; the attacker's requests end in between.
  const login = victim.open()
  const polls = Array.from({ length: 5 }, () => attacker.twin())
  const polling = polls.map((poll) => poll.open())
  await Promise.all(polling.map(({ session }) => session.load()))
  login.session.clear()
  await login.session.save()
  await Promise.all(polling.slice(0, 3).map(({ commit }) => commit()))
  await login.session.signIn('victim')
  await Promise.all(polling.slice(3).map(({ commit }) => commit()))
  await login.commit()

  expect(polls.flatMap(({ setCookies }) => setCookies)).toEqual([])
  expect(await Promise.all([attacker, ...polls].map(userOf))).toEqual(Array(6).fill(null))
  expect(await userOf(victim)).toBe('victim')
})

it('D2: a request without a cookie, or with an unknown one, makes no row', async () => {
  const sessions = open()
  for (const token of [null, 'A'.repeat(54), 'favicon', '']) {
    await new Visitor(sessions, token).visit(async (session) => {
      await session.get('a')
      session.delete('a')
    })
  }
  expect(await count('session')).toBe(0)
})

it('D3: no response ever carries a token that opens nothing, however many rotate at once', async () => {
  const sessions = open()
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('a', 1))
  for (let round = 0; round < 5; round += 1) {
    const tabs = Array.from({ length: 8 }, () => ann.twin())
    const requests = tabs.map((tab) => tab.open())
    await Promise.all(requests.map(({ session }) => session.load()))
    for (const { session } of requests) session.rotate()
    await Promise.all(requests.map(({ commit }) => commit()))
    const winners = tabs.filter(({ setCookies }) => setCookies.length > 0)
    expect(winners).toHaveLength(1)
    ann.token = winners[0]?.token ?? null
    expect(await ann.visit((session) => session.get('a'))).toBe(1)
  }
})

it('D4: a first visit that signs in or clears works, and a session purged meanwhile is told, not thrown', async () => {
  const sessions = open()
  const first = new Visitor(sessions)
  await first.visit(async (session) => {
    session.clear()
    await session.signIn('ann')
  })
  expect(await userOf(first)).toBe('ann')
  await new Visitor(sessions).visit((session) => session.clear())

  const reader = first.open()
  await reader.session.load()
  const writer = first.open()
  await writer.session.load()
  await elapse(pool, 40 * 3_600_000)
  await sessions.purge()
  await reader.commit()
  writer.session.set('a', 1)
  await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE', statusCode: 409 })
})

it('D5: it starts in a schema of its own, whatever the search path is', async () => {
  const other = new pg.Pool({
    connectionString: harness.database.url,
    options: '-c search_path=elsewhere',
  })
  const sessions = createSessions<Data>({
    database: fromPg(other),
    schema: 'own "schema"',
    log: false,
  })
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('a', 1))
  expect(await ann.visit((session) => session.get('a'))).toBe(1)
  const { rows } = await pool.query(
    `select tablename as name from pg_tables where schemaname in ('public', 'elsewhere')`,
  )
  expect(rows).toEqual([])
  await other.end()
})

it('D6: many processes that start at once on an empty database all come up, with a version noted', async () => {
  const empty = await createTestDatabase()
  const pools = Array.from({ length: 8 }, () => new pg.Pool({ connectionString: empty.url }))
  await Promise.all(pools.map((it) => createSessions({ database: fromPg(it), log: false }).ready()))
  const versions = await empty.query(
    'select version, name from sessions.migration order by version',
  )
  expect(versions[0]).toEqual({ version: 1, name: 'create-sessions' })
  await Promise.all(pools.map((it) => it.end()))
  await empty.drop()
})

it('D7: a token has one length and one spelling, and loses no entropy to it', async () => {
  const sessions = open()
  const tokens = new Set<string>()
  for (let n = 0; n < 200; n += 1) {
    const exchange = sessions.open(null)
    exchange.session.set('n', n)
    const { setCookies } = await exchange.commit()
    tokens.add(String(/^__Host-id=([^;]+);/.exec(String(setCookies[0]))?.[1]))
  }
  expect(tokens.size).toBe(200)
  for (const token of tokens) {
    expect(token).toMatch(/^[\w-]{54}$/)
    expect(Buffer.from(token.slice(22), 'base64url')).toHaveLength(24)
  }
})

it('D8: only a hash of the token is stored, of a fixed length, and odd bytes reach no query', async () => {
  const watched = watchStore(new PostgresStore({ driver: fromPg(pool), migrate: 'off' }))
  const sessions = createSessions<Data>({ store: watched.store, log: false })
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('a', 1))
  const { rows } = await pool.query('select secret_hash, s::text as row from sessions.session as s')
  const secret = String(ann.token).slice(22)
  expect(rows[0].secret_hash).toEqual(createHash('sha256').update(secret).digest())
  expect(rows[0].row).not.toContain(secret)

  watched.calls.length = 0
  for (const odd of [`${ann.token}\0junk`, `\0${ann.token}`, `${ann.token}\xff`, '\ud800', "'"]) {
    expect(await new Visitor(sessions, odd).visit((session) => session.get('a'))).toBeUndefined()
  }
  expect(watched.calls).toEqual([])
})

it('D9: a purger outlives a missing table and dead connections, waits its turn, and can be stopped', async () => {
  const lines: string[] = []
  const line = (_facts: object, message: string): void => {
    lines.push(message)
  }
  const log = { debug() {}, info: line, warn() {}, error: line }
  const store = watchStore(new PostgresStore({ driver: fromPg(pool), migrate: 'off' }))
  const sessions = createSessions({ store: store.store, log, purgeInterval: '40ms' })
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('a', 1))
  await elapse(pool, 40 * 3_600_000)
  await pool.query('alter table sessions.session rename to hidden')
  const purger = sessions.startPurger()
  await expect.poll(() => lines.length, { interval: 5 }).toBeGreaterThanOrEqual(2)
  expect(new Set(lines)).toEqual(new Set(['a purge failed; the next one is tried as planned']))
  expect(store.calls.filter((call) => call === 'purge').length).toBeLessThanOrEqual(
    lines.length + 1,
  )

  await harness.database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`,
  )
  await harness.database.query('alter table sessions.hidden rename to session')
  await expect.poll(() => count('session')).toBe(0)
  await purger.stop()
  const purges = store.calls.length
  await store.settled()
  expect(lines).toContain('expired sessions purged')
  expect(store.calls).toHaveLength(purges)
})

it('D10: reading writes at most once in a touch interval, heap-only, and sends no cookie', async () => {
  const watched = watchStore(new PostgresStore({ driver: fromPg(pool), migrate: 'off' }))
  const sessions = createSessions<Data>({ store: watched.store, idleTimeout: '1h', log: false })
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('a', 1))
  for (let read = 0; read < 20; read += 1) {
    await ann.visit((session) => session.get('a'))
    expect(ann.setCookies).toEqual([])
  }
  expect(watched.calls.filter((call) => call === 'touch')).toEqual([])

  // The server counts what one transaction has done, at once and alone.
  const client = await pool.connect()
  await client.query('begin')
  const quiet = watchStore(
    new PostgresStore({ driver: fromClientInTransaction(client), migrate: 'off' }),
  )
  const reader = new Visitor(
    createSessions<Data>({ store: quiet.store, idleTimeout: '1h', log: false }),
    ann.token,
  )
  const updates = async (): Promise<{ all: number; hot: number }> => {
    const { rows } = await client.query(
      `select pg_stat_get_xact_tuples_updated(oid)::int as "all",
        pg_stat_get_xact_tuples_hot_updated(oid)::int as hot
      from (select 'sessions.session'::regclass::oid) as t`,
    )
    return rows[0]
  }
  const sum = { all: 0, hot: 0 }
  for (let touch = 0; touch < 10; touch += 1) {
    await elapse(client, 2 * 60_000)
    const before = await updates()
    await reader.visit((session) => session.get('a'))
    await quiet.settled()
    const after = await updates()
    sum.all += after.all - before.all
    sum.hot += after.hot - before.hot
  }
  await client.query('rollback')
  client.release()
  expect(quiet.calls.filter((call) => call === 'touch')).toHaveLength(10)
  expect(sum.all).toBe(10)
  expect(sum.hot, 'but for the one that moves the purge bound').toBeGreaterThanOrEqual(9)
})

it('D11: all keys come from one statement and one moment, and can be listed', async () => {
  const watched = watchStore(new PostgresStore({ driver: fromPg(pool), migrate: 'off' }))
  const sessions = createSessions<Data>({ store: watched.store, log: false })
  const ann = new Visitor(sessions)
  await ann.visit((session) => {
    session.set('left', 0)
    session.set('right', 0)
  })
  let isOver = false
  const writing = (async () => {
    for (let n = 1; n <= 30; n += 1) {
      await ann.twin().visit((session) => {
        session.set('left', n)
        session.set('right', n)
      })
    }
    isOver = true
  })()
  while (!isOver) {
    const entries = Object.fromEntries(await ann.twin().visit((session) => session.entries()))
    expect(entries.left).toBe(entries.right)
  }
  await writing
  watched.calls.length = 0
  await ann.visit(async (session) => {
    await Promise.all(['left', 'right', 'left'].map((key) => session.get(key)))
  })
  expect(watched.calls).toEqual(['load'])
})

it('D12: keys can be deleted, sessions ended, listed, limited and watched, and have users', async () => {
  const sessions = open()
  const events: (keyof SessionEvents)[] = []
  for (const name of ['created', 'signedIn', 'destroyed'] as const) {
    sessions.on(name, () => events.push(name))
  }
  const ann = new Visitor(sessions)
  await ann.visit(async (session) => {
    session.set('a', 1)
    session.setLifetime({ idleTimeout: '1d', absoluteTimeout: '2d' })
    await session.signIn('ann')
  })
  await ann.visit((session) => session.delete('a'))
  expect(await ann.visit((session) => session.entries())).toEqual([])
  const [info] = await sessions.listByUser('ann')
  expect(info).toMatchObject({ userId: 'ann', createdAt: expect.any(Date) })
  expect(Number(info?.expiresAt) - Number(info?.lastAccessAt)).toBe(86_400_000)
  expect(await sessions.destroyByUser('ann')).toBe(1)
  expect(await userOf(ann)).toBeNull()
  expect(events).toEqual(['created', 'signedIn', 'destroyed'])
})

it("D13: the database's clock decides alone: a process whose clock is wrong by a day changes nothing", async () => {
  const sessions = open({ idleTimeout: '1h' })
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('a', 1))
  const { now } = Date
  try {
    for (const skew of [86_400_000, -86_400_000]) {
      Date.now = () => now() + skew
      expect(await ann.visit((session) => session.get('a'))).toBe(1)
      await ann.visit((session) => session.set('skew', skew))
      await ann.visit((session) => session.signIn('ann'))
    }
  } finally {
    Date.now = now
  }
  const { rows } = await pool.query(
    `select expires_at between now() + interval '59 minutes' and now() + interval '61 minutes' as idle,
      absolute_expires_at between now() + interval '29 days' and now() + interval '31 days' as absolute,
      last_access_at between now() - interval '1 minute' and now() as access
    from sessions.session`,
  )
  expect(rows).toEqual([{ idle: true, absolute: true, access: true }])
})

it('D14: a long request keeps its session alive from its first change, or is told that it ended', async () => {
  const sessions = open({ idleTimeout: '1h' })
  const [busy, idle] = [new Visitor(sessions), new Visitor(sessions)]
  await busy.visit((session) => session.set('a', 1))
  await idle.visit((session) => session.set('a', 1))
  const [long, longIdle] = [busy.open(), idle.open()]
  await Promise.all([long.session.load(), longIdle.session.load()])
  await elapse(pool, 40 * 60_000)
  await long.session.update('progress', () => 1)
  await elapse(pool, 40 * 60_000)
  await sessions.purge()
  long.session.set('done', true)
  await long.commit()
  expect(Object.fromEntries(await busy.visit((session) => session.entries()))).toEqual({
    a: 1,
    progress: 1,
    done: true,
  })
  longIdle.session.set('done', true)
  await expect(longIdle.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
})

it('D15: nothing that has to be there may be null, no surplus key, and sizes are bounded', async () => {
  const { rows } = await pool.query(
    `select column_name as name, is_nullable as nullable from information_schema.columns
      where table_schema = 'sessions' and table_name = 'session_data' order by 1`,
  )
  expect(rows).toEqual([
    { name: 'key', nullable: 'NO' },
    { name: 'session_id', nullable: 'NO' },
    { name: 'value', nullable: 'NO' },
  ])
  const sessions = createSessions<Data>({
    database: fromPg(pool),
    limits: { valueBytes: 100, sessionBytes: 150, keys: 2 },
    log: false,
  })
  const ann = new Visitor(sessions)
  const { session } = ann.open()
  expect(() => session.set('a', 'x'.repeat(100))).toThrow('limits.valueBytes allows 100')
  for (const key of ['a', 'b', 'c']) session.set(key, 1)
  await expect(session.save()).rejects.toThrow('limits.keys allows 2')
  expect(await count('session')).toBe(0)
})

it('D16: keys and values can be read with plain SQL', async () => {
  const ann = new Visitor(open())
  await ann.visit((session) => session.set('basket', ['apple', 'Ä']))
  const { rows } = await pool.query(
    `select e.key, e.value::jsonb ->> 1 as second from sessions.session_entry as e`,
  )
  expect(rows).toEqual([{ key: 'basket', second: 'Ä' }])
})

it('D17: clear works whenever it is called, and one connection is one queue, however often it is used', async () => {
  const client = new pg.Client({ connectionString: harness.database.url })
  await client.connect()
  const driver = fromPgClient(client)
  const sessions = createSessions<Data>({ database: driver, log: false })
  const same = createSessions<Data>({ database: driver, log: false })
  const visitors = Array.from({ length: 20 }, (_, n) => new Visitor(n % 2 === 0 ? sessions : same))
  await Promise.all(
    visitors.map(async (visitor, n) => {
      await visitor.visit((session) => session.set('before', n))
      await visitor.visit(async (session) => {
        expect(await session.get('before')).toBe(n)
        session.clear()
        session.set('after', n)
      })
      expect(await visitor.visit((session) => session.entries())).toEqual([['after', n]])
    }),
  )
  await Promise.all([sessions.close(), same.close()])
  await client.end()
})

it('D18: an entry that does not decode is told apart from none by an event and a line in the log', async () => {
  const sessions = open()
  const failures: SessionEvents['decodeFailed'][] = []
  sessions.on('decodeFailed', (event) => failures.push(event))
  const ann = new Visitor(sessions)
  await ann.visit((session) => session.set('broken', 1))
  await pool.query(`update sessions.session_data set value = convert_to('{', 'UTF8')`)
  await ann.visit(async (session) => {
    expect(await session.get('broken')).toBeUndefined()
    expect(await session.get('absent')).toBeUndefined()
    expect(failures).toEqual([{ sessionId: session.id, key: 'broken', codec: 'json' }])
  })
})
