import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { jsonCodec } from '../../src/codec/json-codec.ts'
import { sidIdentity } from '../../src/compatibility/by-sid/sid-identity.ts'
import { ConnectPgSimpleSource } from '../../src/import/connect-pg-simple/connect-pg-simple-source.ts'
import { readOldTables } from '../../src/import/connect-pg-simple/find-old-tables.ts'
import {
  type OldTableOptions,
  resolveOldTable,
} from '../../src/import/connect-pg-simple/old-table.ts'
import { importSessions } from '../../src/import/import-sessions.ts'
import type { ImportReport } from '../../src/import/import-tally.ts'
import { StatementRunner } from '../../src/postgres/statement-runner.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let pool: pg.Pool
const stores: PgSessionStore[] = []

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  // Connections of their own, since each test makes the table of other types.
  pool = new pg.Pool({ connectionString: database.url, max: 5 })
  await pool.query('drop table if exists session; drop schema if exists sessions cascade')
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  await pool.end()
})

describe('a table like that of connect-pg-simple, with columns of other types', () => {
  const uuid = randomUUID()
  it.each([
    ['uuid', 'json', 'timestamp(6)', uuid],
    ['uuid', 'jsonb', 'timestamptz', uuid],
    ['text', 'text', 'timestamp', 'a sid with spaces'],
    ['varchar(64)', 'jsonb', 'timestamptz(3)', 'sid'],
    ['char(40)', 'json', 'timestamp', 'sid'],
    ['varchar collate "C"', 'json', 'date', 'sid'],
    ['bigint', 'json', 'timestamp', '42'],
  ])(
    'sid %s, sess %s, expire %s: moved by the fallback, and by an import',
    async (sid, sess, expire, id) => {
      for (const move of ['fallback', 'import']) {
        await pool.query(`drop table if exists session; drop schema if exists sessions cascade;
        create table session (sid ${sid} primary key, sess ${sess} not null, expire ${expire} not null)`)
        await insert(id, '{"cookie":{},"user":"ann"}')
        const store = open()
        if (move === 'import') {
          await get(store, id === uuid ? randomUUID() : '7')
          expect(await importAll()).toMatchObject({ moved: 1, unreadable: [] })
        }
        expect(await get(store, id)).toEqual({ cookie: {}, user: 'ann' })
        expect((await pool.query('select from session')).rowCount).toBe(0)
        expect(await get(store, 'no value of any of these types'), 'unknown').toBeNull()
        await destroy(store, 'no value of any of these types')
      }
    },
  )

  it.each([
    ['timestamp(6)', undefined],
    ['timestamp(6)', 'America/New_York'],
    ['timestamptz', 'Asia/Tokyo'],
    ['timestamptz', undefined],
    ['date', undefined],
  ])(
    'expire %s read in zone %s: without end, far away and before Christ',
    async (type, timeZone) => {
      await pool.query(
        `create table session (sid varchar primary key, sess json not null, expire ${type} not null)`,
      )
      const old = { ...(timeZone ? { timeZone } : {}) }
      const far = type === 'timestamptz' ? '294276-12-01' : '294276-12-31'
      for (const [sid, expire] of [
        ['endless', "'infinity'"],
        ['far', `'${far}'`],
        ['year 10000', "'10000-01-01'"],
        ['ended', "'-infinity'"],
        ['bc', "'0044-03-15 BC'"],
      ] as const) {
        await insert(
          sid,
          '{"cookie":{"originalMaxAge":60000,"expires":"2026-01-01T00:00:00Z"},"n":1}',
          expire,
        )
      }
      const store = open(old)
      const found = await get(store, 'endless')
      expect(found).toMatchObject({ n: 1 })
      expect(Date.parse((found as { cookie: { expires: string } }).cookie.expires)).toBeGreaterThan(
        Date.now(),
      )
      expect(await get(store, 'ended')).toBeNull()
      expect(await get(store, 'bc')).toBeNull()
      expect(await importAll(old)).toMatchObject({ moved: 2, expired: 2, unreadable: [] })
      for (const sid of ['far', 'year 10000']) expect(await get(store, sid)).toMatchObject({ n: 1 })
    },
  )

  it('rows that hold no session are left, counted and named, and their users are strangers', async () => {
    await pool.query('create table session (sid text primary key, sess text, expire timestamptz)')
    const rows = ['{"cookie":{}}', 'null', '[]', '"text"', '{"a":', '', null]
    for (const [index, sess] of rows.entries()) await insert(`sid ${index}`, sess)
    await insert('no date', '{}', 'null')
    const store = open()
    for (let n = 1; n < rows.length; n++) expect(await get(store, `sid ${n}`)).toBeNull()
    const report = await importAll()
    expect(report).toMatchObject({ moved: 1, expired: 1 })
    expect(report.unreadable).toEqual([
      { problem: 'no JSON object', count: 6, ids: expect.any(Array) },
    ])
    expect(report.unreadable[0]?.ids).toContain(sidIdentity('sid 1').id)
  })

  it('expire that is not a date: left out of the status with its type, refused by the fallback', async () => {
    await pool.query(`create table session (sid text, sess json, expire bigint);
      create table clock (sid text, sess json, expire time);
      create table good (sid text, sess json, expire timestamp)`)
    await pool.query("insert into good values ('a', '{}', now() + interval '1 day')")
    expect(await readOldTables(fromPg(pool), 5000)).toEqual([
      {
        schema: 'public',
        table: 'clock',
        live: 0,
        expired: 0,
        problem: expect.stringContaining('expire is time'),
      },
      { schema: 'public', table: 'good', live: 1, expired: 0, problem: null },
      {
        schema: 'public',
        table: 'session',
        live: 0,
        expired: 0,
        problem: 'expire is bigint, which is not a date',
      },
    ])
    const [error] = await Promise.allSettled([get(open(), 'a')])
    expect(error).toMatchObject({ status: 'rejected', reason: { code: 'ERR_SCHEMA_OUTDATED' } })
    await pool.query('drop table clock, good')
  })
})

function open(fallback: OldTableOptions = {}): PgSessionStore {
  const store = new PgSessionStore({ pool, fallback, purgeInterval: 'never', log: false })
  stores.push(store)
  return store
}

async function insert(sid: string, sess: string | null, expire = "now() + interval '2 days'") {
  await pool.query(`insert into session (sid, sess, expire) values ($1, $2, ${expire})`, [
    sid,
    sess,
  ])
}

function get(store: PgSessionStore, sid: string): Promise<object | null> {
  return new Promise((resolve, reject) => {
    store.get<object>(sid, (error, found) => (error ? reject(error) : resolve(found ?? null)))
  })
}

function destroy(store: PgSessionStore, sid: string): Promise<void> {
  return new Promise((resolve, reject) => {
    store.destroy(sid, (error) => (error ? reject(error) : resolve()))
  })
}

function importAll(old: OldTableOptions = {}): Promise<ImportReport> {
  const reading = { identify: sidIdentity, codec: jsonCodec, userId: null, ttl: 86_400_000 }
  return importSessions({
    runner: new StatementRunner(fromPg(pool), 5000),
    names: resolveTableNames({}),
    source: new ConnectPgSimpleSource(resolveOldTable(old), reading),
  })
}
