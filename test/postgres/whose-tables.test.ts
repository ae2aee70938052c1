import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkSchema, migrate } from '../../src/postgres/migrate.ts'
import { migrations } from '../../src/postgres/migrations/index.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import type { TestDatabase } from '../support/database.ts'
import { readCatalog } from './read-catalog.ts'
import { connect, scratchDatabase } from './scratch-database.ts'

const timeout = 20_000
const inPublic = resolveTableNames({ schema: 'public' })

async function both(database: TestDatabase): Promise<unknown[]> {
  const driver = connect(database.url)
  const attempts = [
    migrate(driver, inPublic, { timeout }),
    checkSchema(driver, inPublic, { timeout }),
  ]
  return Promise.all(
    attempts.map((attempt) =>
      attempt.then(
        () => 'accepted',
        (error) => error,
      ),
    ),
  )
}

describe('a table of another program under one of our names', () => {
  test.each([
    ['other columns', 'create table migration (name text, hash text, date timestamptz)'],
    [
      'its own versions',
      "create table migration (version int, name text); insert into migration values (20240202, 'add-users')",
    ],
    ['no rows yet', 'create table migration (version int primary key, name text)'],
    [
      'our columns, no rows',
      'create table migration (version int primary key, name text, applied_at timestamptz)',
    ],
    [
      'our columns, its own rows',
      `create table migration (version int primary key, name text, applied_at timestamptz);
       insert into migration values (1, 'init'), (2, 'add-users')`,
    ],
    [
      'our columns, a version of the future',
      `create table migration (version int primary key, name text, applied_at timestamptz);
       insert into migration values (20240202, 'add-users')`,
    ],
    [
      'a view',
      "create view migration as select 1 as version, 'create-sessions' as name, now() as applied_at",
    ],
  ])('is refused by name and left alone: a migration table with %s', async (_, sql) => {
    const database = await scratchDatabase()
    await database.query(sql)
    const before = await readCatalog(database, 'public')
    for (const outcome of await both(database)) {
      expect(outcome).toMatchObject({
        code: 'ERR_SCHEMA_MISSING',
        message: expect.stringMatching(
          /'migration'.*was not made by pg-sessions.*tables\.migration/,
        ),
      })
    }
    expect(await readCatalog(database, 'public')).toEqual(before)
  })

  test.each([
    ['session', 'create table session (sid varchar primary key, sess json, expire timestamp)'],
    ['session_data', 'create table session_data (id int)'],
  ])('is refused by name and left alone: %s', async (table, sql) => {
    const database = await scratchDatabase()
    await database.query(sql)
    const [outcome] = await both(database)
    const setting = table === 'session' ? 'tables\\.session ' : 'tables\\.sessionData '
    expect(outcome).toMatchObject({
      message: expect.stringMatching(new RegExp(`'${table}'.*${setting}`)),
    })
  })

  test('a migration table of another name makes room', async () => {
    const database = await scratchDatabase()
    await database.query('create table migration (name text, hash text, date timestamptz)')
    const names = resolveTableNames({
      schema: 'public',
      tables: { migration: 'session_migration' },
    })
    expect(await migrate(connect(database.url), names, { timeout })).toEqual({ from: 0, to: 2 })
  })
})

describe('our tables without the record of their version', () => {
  test.each([
    ['rows are missing', 'delete from migration'],
    ['table is missing', 'drop table migration'],
  ])('are recorded by migrating, with all sessions in place: the %s', async (_, sql) => {
    const database = await scratchDatabase()
    const driver = connect(database.url)
    await migrate(driver, inPublic, { timeout })
    const before = await readCatalog(database, 'public')
    await database.query(sql)
    await expect(checkSchema(driver, inPublic, { timeout })).rejects.toMatchObject({
      code: 'ERR_SCHEMA_OUTDATED',
      message: expect.stringMatching(/restore.*`npx pg-sessions migrate --schema public`/),
    })
    await migrate(driver, inPublic, { timeout })
    await checkSchema(driver, inPublic, { timeout })
    expect(await readCatalog(database, 'public')).toEqual(before)
  })

  test('are known by all their columns: the newest migration lists those that it leaves', async () => {
    const database = await scratchDatabase()
    await migrate(connect(database.url), inPublic, { timeout })
    const columnsOf = (table: string): Promise<unknown> =>
      database.query(`select attname || ' ' || format_type(atttypid, atttypmod) as shown
        from pg_attribute where attrelid = 'public.${table}'::regclass and attnum > 0 and not attisdropped
        order by attnum`)
    const { session, sessionData } = migrations.at(-1)!.columns
    expect(await columnsOf('session')).toEqual(session.map((shown) => ({ shown })))
    expect(await columnsOf('session_data')).toEqual(sessionData.map((shown) => ({ shown })))
  })

  test('half of the tables is named, not guessed at', async () => {
    const database = await scratchDatabase()
    await migrate(connect(database.url), inPublic, { timeout })
    await database.query('drop table session_data cascade')
    for (const outcome of await both(database)) {
      expect(outcome).toMatchObject({
        message: expect.stringMatching(/'session_data'.* is missing/),
      })
    }
  })
})

describe('row level security', () => {
  async function asRole(sql: string): Promise<unknown> {
    const database = await scratchDatabase()
    await migrate(connect(database.url), inPublic, { timeout })
    const role = `app_${process.pid}_${Math.random().toString(36).slice(2)}`
    await database.query(`create role ${role};
      grant usage on schema public to ${role};
      grant select, insert, update, delete on all tables in schema public to ${role};
      ${sql.replaceAll('$role', role)}`)
    const url = new URL(database.url)
    url.searchParams.set('options', `-c role=${role}`)
    onTestFinished(async () => {
      await database.query(`drop owned by ${role}; drop role ${role}`)
    })
    return checkSchema(connect(url.href), inPublic, { timeout }).then(() => 'accepted', String)
  }

  test('without a policy is named, instead of turning signed-in users into strangers', async () => {
    expect(await asRole('alter table session enable row level security')).toMatch(
      /Row level security on table 'session'.*SELECT, INSERT, UPDATE, DELETE/,
    )
    expect(
      await asRole(`alter table session_data enable row level security;
        create policy reading on session_data for select to $role using (true)`),
    ).toMatch(/'session_data'.*INSERT, UPDATE, DELETE/)
  })

  test('with a policy for the role, or another than ours to read, is accepted', async () => {
    expect(
      await asRole(`alter table session enable row level security;
        create policy everything on session using (true)`),
    ).toBe('accepted')
    expect(
      await asRole('alter table session enable row level security; alter role $role bypassrls'),
    ).toBe('accepted')
  })
})

describe('tables that are dropped under a running process', () => {
  test.each([
    ['the schema', 'drop schema sessions cascade'],
    ['both tables', 'drop table sessions.session_data, sessions.session cascade'],
  ])('are created again by the next call: %s', async (_, sql) => {
    const database = await scratchDatabase()
    const pool = new pg.Pool({ connectionString: database.url, max: 3 })
    const sessions = createSessions({ database: fromPg(pool), log: false })
    onTestFinished(async () => {
      await sessions.close()
      await pool.end()
    })
    const visit = async (): Promise<number> => {
      const exchange = sessions.open(null)
      exchange.session.set('seen', true)
      return (await exchange.commit()).setCookies.length
    }
    expect(await visit()).toBe(1)
    await database.query(sql)
    expect(await Promise.all([visit(), visit(), visit()])).toEqual([1, 1, 1])
    expect(await sessions.count()).toMatchObject({ live: 3 })
    await database.query(sql)
    await sessions.ready()
    expect(await sessions.count()).toMatchObject({ live: 0 })
  })

  test('stay away where tables are only checked, and every call says so', async () => {
    const database = await scratchDatabase()
    const pool = new pg.Pool({ connectionString: database.url })
    await migrate(connect(database.url), resolveTableNames(), { timeout })
    const sessions = createSessions({ database: fromPg(pool), migrate: 'check', log: false })
    onTestFinished(async () => {
      await sessions.close()
      await pool.end()
    })
    await sessions.ready()
    await database.query('drop schema sessions cascade')
    await expect(sessions.count()).rejects.toMatchObject({ code: 'ERR_SCHEMA_MISSING' })
    await expect(sessions.ready()).rejects.toMatchObject({ code: 'ERR_SCHEMA_MISSING' })
  })
})

describe('our own tables that were changed since', () => {
  test.each([
    ['a column was renamed', 'session rename user_id to owner', 'has no column user_id'],
    ['a column was dropped', 'session_data drop value cascade', 'has no column value'],
    [
      'a type does not work',
      'session alter user_id type uuid using null',
      'column user_id is uuid instead of text',
    ],
  ])(
    'are refused with what is wrong, at the start and in a running process: %s',
    async (_, change, problem) => {
      const database = await scratchDatabase()
      const pool = new pg.Pool({ connectionString: database.url })
      onTestFinished(() => pool.end())
      const running = createSessions({ database: fromPg(pool) })
      await running.ready()
      await database.query(`alter table sessions.${change}`)
      const names = resolveTableNames()
      const driver = connect(database.url)
      for (const attempt of [migrate, checkSchema]) {
        const refused = attempt(driver, names, { timeout })
        await expect(refused).rejects.toMatchObject({ code: 'ERR_SCHEMA_OUTDATED' })
        await expect(attempt(driver, names, { timeout })).rejects.toThrow(problem)
      }
      const exchange = running.open(null)
      exchange.session.set('a', 1)
      await expect(exchange.commit()).rejects.toThrow(/was changed|not as pg-sessions made them/)
      await running.close()
    },
  )
})
