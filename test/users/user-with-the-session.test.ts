import { randomUUID } from 'node:crypto'
import pg from 'pg'
import {
  createSessions,
  MemoryStore,
  PostgresStore,
  type Sessions,
  type UserSettings,
} from 'pg-sessions'
import { WaiStore } from 'pg-sessions/haskell'
import { fromPg } from 'pg-sessions/pg'
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  expectTypeOf,
  onTestFinished,
  test,
} from 'vitest'
import { z } from 'zod'
import { recordingDriver } from '../postgres/recording-driver.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { cookieOf } from '../transactions/visitors.ts'

let database: TestDatabase
let pool: pg.Pool

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url, max: 10 })
  await pool.query(`
    create schema app;
    create domain app.key as bigint;
    create table app.users (
      id app.key primary key, name text not null, role text not null default 'reader',
      "createdAt" timestamptz not null default '2026-01-02 03:04:05+00',
      balance numeric not null default 12345678901234567890.12, scores bigint[] default '{9007199254740993}',
      extra jsonb default '{"a": [1, null]}', is_disabled boolean not null default false, email text
    );
    create table app.members (id uuid primary key, name text);
    create table app.people (id text primary key, name text);
    create table app.odd (id timestamptz primary key);
    create view app.readers as select id, name from app.users where not is_disabled;
    create table app.locked (id text primary key);
    alter table app.locked enable row level security;
  `)
})
beforeEach(async () => {
  await pool.query('truncate app.users, app.members, app.people')
  await pool.query(`insert into app.users (id, name) values (1, 'Ann'), (2, 'Bob')`)
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

const byTable = { select: 'id, name, role', from: 'app.users', key: 'id' }
const byQuery = {
  query: 'select id::text, name, role from app.users where id = $1::bigint and not is_disabled',
}

function open(user: UserSettings, groupCommit = true): { sessions: Sessions; sent: string[] } {
  const { driver, sent } = recordingDriver(fromPg(pool))
  const store = new PostgresStore({ driver, user, groupCommit })
  const sessions = createSessions({ store, log: false })
  onTestFinished(() => sessions.close())
  return { sessions, sent }
}

async function visit(sessions: Sessions, cookie: string) {
  const exchange = sessions.open(cookie)
  await exchange.session.load()
  return { exchange, session: exchange.session, user: exchange.session.user }
}

describe.each([
  ['a table', byTable],
  ['a query', byQuery],
])('with the user of %s', (_, settings) => {
  test('a page reads the session and its user in one statement', async () => {
    const { sessions, sent } = open(settings)
    const { cookie } = await cookieOf(sessions, '1')
    sent.length = 0
    const { session, user } = await visit(sessions, cookie)
    expect(user).toEqual({ id: '1', name: 'Ann', role: 'reader' })
    expect(session.userId).toBe('1')
    expect(sent).toEqual(['load'])
  })

  test('a change of the user is seen by the next request, and by reloadUser', async () => {
    const { sessions } = open(settings)
    const { cookie } = await cookieOf(sessions, '1')
    const { session } = await visit(sessions, cookie)
    await pool.query(`update app.users set role = 'admin' where id = 1`)
    expect(session.user).toMatchObject({ role: 'reader' })
    expect(await session.reloadUser()).toMatchObject({ role: 'admin' })
    expect(session.user).toMatchObject({ role: 'admin' })
    expect((await visit(sessions, cookie)).user).toMatchObject({ role: 'admin' })
  })

  test.each([
    ['that share statements', true],
    ['that go alone', false],
  ])('50 concurrent requests %s each have their own user', async (_, groupCommit) => {
    await pool.query(
      `insert into app.users (id, name) select n, 'user ' || n from generate_series(100, 149) as n`,
    )
    const { sessions } = open(settings, groupCommit)
    const visitors = await Promise.all(
      Array.from({ length: 50 }, (_, n) => cookieOf(sessions, String(100 + n))),
    )
    const names = async (): Promise<unknown[]> =>
      Promise.all(
        visitors.map(async ({ cookie }) => {
          const { session, user } = await visit(sessions, cookie)
          return `${session.userId}: ${user?.['id']} ${user?.['name']}`
        }),
      )
    const expected = (suffix: string): string[] =>
      visitors.map((_, n) => `${100 + n}: ${100 + n} user ${100 + n}${suffix}`)
    for (let round = 0; round < 3; round++) expect(await names()).toEqual(expected(''))
    await pool.query(`update app.users set name = name || ' now'`)
    expect(await names()).toEqual(expected(' now'))
  })

  test('a user who is gone is signed out, with an event; a user who is back is signed in again', async () => {
    const { sessions } = open(settings)
    const told: unknown[] = []
    sessions.on('userGone', (event) => told.push(event))
    const { id, cookie } = await cookieOf(sessions, '1')
    await pool.query('delete from app.users where id = 1')
    const { session, user, exchange } = await visit(sessions, cookie)
    expect([session.id, session.userId, user]).toEqual([null, null, null])
    expect(told).toEqual([{ sessionId: id, userId: '1' }])
    expect((await exchange.commit()).setCookies).toEqual([])
    await pool.query(`insert into app.users (id, name) values (1, 'Ann')`)
    expect((await visit(sessions, cookie)).session.userId).toBe('1')
  })
})

describe('a request whose user is gone', () => {
  test.each([
    ['signs in as another user', 'sign-in'],
    ['stores something', 'set'],
    ['signs out', 'sign-out'],
  ])('%s: the session of the user who is gone ends', async (_, does) => {
    const { sessions, sent } = open(byTable)
    const { id, cookie } = await cookieOf(sessions, '1')
    await pool.query('delete from app.users where id = 1')
    sent.length = 0
    const exchange = sessions.open(cookie)
    const { session } = exchange
    if (does === 'sign-in') await session.signIn('2')
    else if (does === 'set') session.set('basket', [])
    else await session.signOut()
    const { setCookies } = await exchange.commit()
    expect(setCookies).toHaveLength(1)
    expect(sent.slice(0, 2)).toEqual(['load', does === 'sign-out' ? 'destroy' : 'replace'])
    const { rows } = await pool.query('select from sessions.session where id = $1', [id])
    expect(rows).toEqual([])
    const next = await visit(sessions, setCookies[0]?.split(';')[0] ?? '')
    expect(next.session.userId).toBe(does === 'sign-in' ? '2' : null)
    await pool.query(`insert into app.users (id, name) values (1, 'Ann')`)
    expect((await visit(sessions, cookie)).session.userId).toBeNull()
  })

  test('signs in although the session has ended meanwhile', async () => {
    const { sessions } = open(byTable)
    const { id, cookie } = await cookieOf(sessions, '1')
    await pool.query('delete from app.users where id = 1')
    const { session } = await visit(sessions, cookie)
    await sessions.destroyById(id)
    await session.signIn('2')
    await session.load()
    expect(session.user).toMatchObject({ name: 'Bob' })
  })
})

test('requests of one page that load at the same moment each have a user of their own', async () => {
  const { sessions } = open({ ...byTable, select: 'id, extra' })
  const { cookie } = await cookieOf(sessions, '1')
  const users = await Promise.all(
    Array.from({ length: 20 }, async () => (await visit(sessions, cookie)).user),
  )
  for (const user of users) expect(user).toEqual({ id: '1', extra: { a: [1, null] } })
  Object.assign(users[0]?.['extra'] ?? {}, { a: 'changed' })
  for (const user of users.slice(1)) expect(user).toEqual({ id: '1', extra: { a: [1, null] } })
})

test('after a sign-in the user is read by load()', async () => {
  const { sessions } = open(byTable)
  const exchange = sessions.open(null)
  await exchange.session.load()
  expect(exchange.session.user).toBeNull()
  expect(await exchange.session.reloadUser()).toBeNull()
  await exchange.session.signIn('1')
  expect(() => exchange.session.user).toThrow('await session.load() first')
  await exchange.session.load()
  expect(exchange.session.user).toMatchObject({ name: 'Ann' })
  await exchange.session.signIn('2')
  expect(await exchange.session.reloadUser()).toMatchObject({ name: 'Bob' })
})

test('reloadUser tells a user who is gone, and a session that has ended', async () => {
  const { sessions } = open(byTable)
  const { id, cookie } = await cookieOf(sessions, '1')
  const { session } = await visit(sessions, cookie)
  await pool.query('delete from app.users where id = 1')
  expect(await session.reloadUser()).toBeNull()
  expect(session.user).toBeNull()
  await sessions.destroyById(id)
  await expect(session.reloadUser()).rejects.toMatchObject({ code: 'ERR_SESSION_GONE' })
})

test('the user travels with a session that is too large for a shared statement', async () => {
  const { sessions } = open(byTable)
  const { cookie } = await cookieOf(sessions, '1')
  const exchange = sessions.open(cookie)
  for (let n = 0; n < 60; n++) exchange.session.set(`key${n}`, 'x'.repeat(8000))
  await exchange.commit()
  const all = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const { session } = sessions.open(cookie)
      await session.get('key1')
      return session.user?.['name']
    }),
  )
  expect(new Set(all)).toEqual(new Set(['Ann']))
})

test('values come as JSON has them; what JavaScript would round comes as text', async () => {
  const select = 'id, createdAt, balance, scores, extra, is_disabled, email'
  const { sessions } = open({ ...byTable, select })
  const { cookie } = await cookieOf(sessions, '1')
  const { user } = await visit(sessions, cookie)
  expect(user).toEqual({
    id: '1',
    createdAt: expect.stringMatching(/^2026-01-0\dT/),
    balance: '12345678901234567890.12',
    scores: ['9007199254740993'],
    extra: { a: [1, null] },
    is_disabled: false,
    email: null,
  })
  const query = `select 9007199254740993 as big, 1.5 as half, 0.1234567890123456789 as fine, '9007199254740993' as text, 5 as small
    from app.users where id = $1::bigint`
  const own = open({ query })
  const next = await visit(own.sessions, cookie)
  expect(next.user).toEqual({
    big: '9007199254740993',
    half: 1.5,
    fine: '0.1234567890123456789',
    text: '9007199254740993',
    small: 5,
  })
})

describe('keys', () => {
  const id = '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b'

  test.each([
    ['uuid', 'app.members', id],
    ['text', 'app.people', `o'neil "x" $1`],
    ['bigint, with nineteen digits', 'app.users', '1234567890123456789'],
    ['bigint, the largest', 'app.users', '9223372036854775807'],
  ])('of type %s are found by an index', async (_, from, key) => {
    await pool.query(`insert into ${from} (id, name) values ($1, 'Ann')`, [key])
    const { sessions } = open({ select: 'id, name', from, key: 'id' })
    const { cookie } = await cookieOf(sessions, key)
    expect((await visit(sessions, cookie)).user).toEqual({ id: key, name: 'Ann' })
  })

  test.each([
    ['app.users', `1 or true`],
    ['app.users', '01'],
    ['app.users', '1.0'],
    ['app.users', '99999999999999999999999'],
    ['app.users', '9223372036854775808'],
    ['app.members', 'ann'],
  ])(
    'of %s that the user id %s cannot be find no user, and are not an error',
    async (from, userId) => {
      const { sessions } = open({ select: 'id', from, key: 'id' })
      const { cookie } = await cookieOf(sessions, userId)
      expect((await visit(sessions, cookie)).user).toBeNull()
    },
  )
})

test('columns may be called as the names within the statement are', async () => {
  const names = ['own', 'u', 's', 'a', 'found', 'json', 'packed', 'pg_sessions_user']
  await pool.query(`drop table if exists app.clashing;
    create table app.clashing (id text primary key, ${names.map((name) => `${name} text`).join(', ')});
    insert into app.clashing values ('1', ${names.map((name) => `'${name}'`).join(', ')})`)
  const expected = { id: '1', ...Object.fromEntries(names.map((name) => [name, name])) }
  for (const user of [
    { select: `id, ${names.join(', ')}`, from: 'app.clashing', key: 'id' },
    { query: 'select * from app.clashing where id = $1' },
  ]) {
    const { sessions } = open(user)
    const { cookie } = await cookieOf(sessions, '1')
    expect((await visit(sessions, cookie)).user).toEqual(expected)
  }
})

test('an id that the query cannot cast fails its own session only, and says what is at fault', async () => {
  const { sessions } = open(byQuery)
  const users = ['1', 'ann', '2', 'bob']
  const visitors = await Promise.all(users.map((userId) => cookieOf(sessions, userId)))
  const loads = await Promise.allSettled(visitors.map(({ cookie }) => visit(sessions, cookie)))
  expect(loads.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
  ])
  expect(loads[1]).toMatchObject({
    reason: {
      code: 'ERR_STORE',
      sqlState: '22P02',
      message: expect.stringContaining('the setting user selects fails for the user id'),
    },
  })
})

test('a key whose type has changed under traffic is looked up again, and a table that is gone is named', async () => {
  await pool.query(`drop table if exists app.changing;
    create table app.changing (id bigint primary key, name text); insert into app.changing values (1, 'Ann')`)
  const { sessions } = open({ select: 'name', from: 'app.changing', key: 'id' })
  const { cookie } = await cookieOf(sessions, '1')
  expect((await visit(sessions, cookie)).user).toEqual({ name: 'Ann' })
  await pool.query('alter table app.changing alter id type text')
  expect((await visit(sessions, cookie)).user).toEqual({ name: 'Ann' })
  await pool.query('alter table app.changing alter id type bigint using id::bigint')
  expect((await visit(sessions, cookie)).user).toEqual({ name: 'Ann' })
  await pool.query('alter table app.changing rename to changed')
  await expect(visit(sessions, cookie)).rejects.toThrow('no such table')
  await pool.query('alter table app.changed rename to changing')
  expect((await visit(sessions, cookie)).user).toEqual({ name: 'Ann' })
})

test('several rows for one user id are an error, and never one of them', async () => {
  const { sessions } = open({ query: 'select name from app.users where $1 is not null' })
  const { cookie } = await cookieOf(sessions, '1')
  const { session } = sessions.open(cookie)
  await expect(session.load()).rejects.toThrow('several rows for one user id')
})

test('a view works, and names within a query of your own cannot be taken for ours', async () => {
  const view = open({ select: 'id, name', from: 'app.readers', key: 'id' })
  const { cookie } = await cookieOf(view.sessions, '1')
  expect((await visit(view.sessions, cookie)).user).toEqual({ id: '1', name: 'Ann' })
  const query = `with s as (select id, name, 'nobody' as user_id from app.users)
    select s.name from s where s.id = $1::bigint -- the end`
  const own = open({ query })
  expect((await visit(own.sessions, cookie)).user).toEqual({ name: 'Ann' })
})

describe('what does not fit the database is refused by ready(), in plain words', () => {
  test.each<[settings: UserSettings, words: string]>([
    [{ ...byTable, from: 'app.user' }, 'no such table or view'],
    [
      { ...byTable, select: 'id, nme' },
      'user.select names nme, which "app"."users" has not. Did you mean name?',
    ],
    [{ ...byTable, select: 'createdat' }, 'Did you mean createdAt?'],
    [{ ...byTable, key: 'uid' }, 'user.key names uid'],
    [{ ...byTable, key: 'email' }, 'not unique'],
    [{ ...byTable, from: 'app.odd', select: 'id' }, 'whose type is timestamp with time zone'],
    [{ query: 'select * from app.users where id = $1' }, 'operator does not exist'],
    [{ query: 'select * frm app.users where id = $1' }, 'syntax error'],
    [{ query: 'select * from nowhere where id = $1' }, 'relation "nowhere" does not exist'],
  ])('%j', async (settings, words) => {
    const { sessions } = open(settings)
    await expect(sessions.ready()).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' })
    await expect(sessions.ready()).rejects.toThrow(words)
  })

  test('and so is a role that may not read the table, or sees none of its rows', async () => {
    const role = `reader_${randomUUID().replaceAll('-', '')}`
    await pool.query(`create role ${role}; create schema of_reader authorization ${role}`)
    const options = `-c role=${role}`
    const own = new pg.Pool({ connectionString: database.url, max: 1, options })
    onTestFinished(async () => {
      await own.end()
      await pool.query(`drop owned by ${role}; drop role ${role}`)
    })
    const openAs = (user: UserSettings): Sessions =>
      createSessions({ database: fromPg(own), schema: 'of_reader', user, log: false })
    await expect(openAs(byTable).ready()).rejects.toThrow('permission denied for schema app')
    await pool.query(`grant usage on schema app to ${role}`)
    await expect(openAs(byQuery).ready()).rejects.toThrow('permission denied for table users')
    await pool.query(`grant select on all tables in schema app to ${role}`)
    await openAs(byTable).ready()
    const locked = { select: 'id', from: 'app.locked', key: 'id' }
    await expect(openAs(locked).ready()).rejects.toThrow('Row level security hides every row')
  })
})

describe('what cannot fit is refused when the sessions are made', () => {
  test.each<[settings: unknown, words: string]>([
    [{ select: 'count(*)', from: 'u', key: 'id' }, 'user.select takes names of columns'],
    [{ select: 'id', from: 'a.b.c', key: 'id' }, 'user.from must be a table'],
    [{ select: 'id', from: 'u; drop table u', key: 'id' }, 'user.from takes names'],
    [{ select: 'id', from: 'u' }, 'user must be'],
    [{ ...byTable, ...byQuery }, 'user must be'],
    [{ query: 'select 1' }, 'user.query must be one query'],
    [{ ...byTable, schema: {} }, 'Standard Schema'],
    [{ ...byTable, keys: 'id' }, 'Did you mean key?'],
    ['app.users', 'must be an object'],
  ])('%j', (user, words) => {
    const make = (): unknown => createSessions({ database: fromPg(pool), user: user as never })
    expect(make).toThrow(words)
  })

  test('so are stores that lie elsewhere', () => {
    const store = new MemoryStore()
    expect(() => createSessions({ store, user: byTable } as never)).toThrow(
      "the store 'memory' does not lie beside your users",
    )
    expect(() => new WaiStore({ driver: fromPg(pool), user: byTable } as never)).toThrow('user')
    const sessions = createSessions({ store, log: false })
    expect(() => new MemoryStore({ user: byTable } as never)).toThrow('user')
    return expect(sessions.open(null).session.reloadUser()).rejects.toThrow(
      'needs the setting user',
    )
  })
})

describe('types', () => {
  const schema = z.object({
    id: z.string(),
    name: z.string(),
    createdAt: z.coerce.date(),
  })

  test('a schema gives the type, and what it makes of the row', async () => {
    const sessions = createSessions({
      database: fromPg(pool),
      user: { select: 'id, name, createdAt', from: 'app.users', key: 'id', schema },
      log: false,
    })
    onTestFinished(() => sessions.close())
    const { cookie } = await cookieOf(sessions as unknown as Sessions, '1')
    const { session } = sessions.open(cookie)
    await session.load()
    expectTypeOf(session.user).toEqualTypeOf<{ id: string; name: string; createdAt: Date } | null>()
    expect(session.user?.createdAt.getTime()).toBe(Date.parse('2026-01-02T03:04:05Z'))
  })

  test('a row that does not fit the schema is an error that shows no value', async () => {
    const { sessions } = open({
      ...byTable,
      schema: z.object({ role: z.enum(['admin', 'guest']) }),
    })
    const { cookie } = await cookieOf(sessions, '1')
    const { session } = sessions.open(cookie)
    await expect(session.load()).rejects.toThrow('does not fit user.schema at: role.')
  })

  test('or the type is declared', () => {
    const make = () =>
      createSessions<{ basket: string[] }, { id: string }>({
        database: fromPg(pool),
        user: byTable,
      })
    type Made = ReturnType<ReturnType<typeof make>['open']>['session']
    expectTypeOf<Made['user']>().toEqualTypeOf<{ id: string } | null>()
    expectTypeOf<Parameters<Made['get']>[0]>().toEqualTypeOf<'basket'>()
    const plain = () => createSessions<{ basket: string[] }>({ database: fromPg(pool) })
    expectTypeOf<ReturnType<typeof plain>>().toEqualTypeOf<Sessions<{ basket: string[] }>>()
  })
})
