import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { jsonCodec } from '../../src/codec/json-codec.ts'
import { sidIdentity } from '../../src/compatibility/by-sid/sid-identity.ts'
import {
  ConnectPgSimpleFallback,
  type FallbackOptions,
} from '../../src/import/connect-pg-simple/fallback.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { type OldApplication, openOldApplication } from './old-application.ts'

let old: OldApplication
let store: PostgresStore
beforeEach(async () => {
  old = await openOldApplication()
  store = new PostgresStore({ driver: fromPg(old.pool) })
  await store.ready()
})
afterEach(async () => {
  await store.close()
  await old.dispose()
})

function open(options: Partial<FallbackOptions> = {}): ConnectPgSimpleFallback {
  return new ConnectPgSimpleFallback({
    driver: fromPg(old.pool),
    deadline: 5000,
    names: resolveTableNames(),
    ready: () => store.ready(),
    table: {},
    identify: sidIdentity,
    codec: jsonCodec,
    userId: null,
    onUnreadable: () => {},
    idleTimeout: 86_400_000,
    absoluteTimeout: Number.POSITIVE_INFINITY,
    ...options,
  })
}

async function isHere(sid: string): Promise<boolean> {
  return (await store.load(sidIdentity(sid).proof)).status === 'live'
}

test('a session moves at its first request, and is found by every later one', async () => {
  await old.save('a', { user: 'ann' })
  await old.save('b', { user: 'bob' })
  const fallback = open()
  expect(await fallback.adopt('a')).toBe(true)
  expect(await isHere('a')).toBe(true)
  expect(await old.sids()).toEqual(['b'])
  expect(await fallback.adopt('a')).toBe(true)
})

test('of many requests in two processes at once all find the session, and one has moved it', async () => {
  await old.save('a', { user: 'ann' })
  const processes = [open(), open()]
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, each) => processes[each % 2]?.adopt('a')),
  )
  expect(new Set(answers)).toEqual(new Set([true]))
  expect(await old.database.query('select count(*)::int as n from sessions.session')).toEqual([
    { n: 2 },
  ])
})

test('an unknown, an expired and a hostile sid are not sessions, and nothing is written', async () => {
  await old.insert('a', '{"cookie":{}}', "now() - interval '1 minute'")
  const fallback = open()
  for (const sid of ['nobody', 'a', 'nul\0', 'half \ud800', "'; drop table session; --"]) {
    expect(await fallback.adopt(sid), sid).toBe(false)
  }
  expect(await old.sids()).toEqual(['a'])
  expect(await old.database.query('select 1 from sessions.session')).toEqual([])
})

test('a row that cannot be a session is told of, by its public id, and stays', async () => {
  await old.insert('a', '"no object"')
  const told: unknown[] = []
  const fallback = open({ onUnreadable: (...words) => told.push(words) })
  expect(await fallback.adopt('a')).toBe(false)
  expect(told).toEqual([[sidIdentity('a').id, 'no JSON object']])
  expect(await old.sids()).toEqual(['a'])
})

test('a session goes to the user whom its data names, or to no user', async () => {
  await old.save('a', { user: 'ann' })
  await old.save('b', { user: { hostile: true } })
  const fallback = open({
    userId: ({ user }) => (typeof user === 'string' ? user : (user as () => string)()),
  })
  for (const sid of ['a', 'b']) expect(await fallback.adopt(sid)).toBe(true)
  expect(await store.listByUser('ann')).toHaveLength(1)
  expect(await isHere('b')).toBe(true)
})

test('what the old application saves while the session is on its way is moved too', async () => {
  await old.save('a', { step: 1 })
  const held = await old.pool.connect()
  await held.query('begin')
  await held.query(`update session set sess = '{"cookie":{},"step":2}' where sid = 'a'`)
  const adopted = open().adopt('a')
  await old.waitForLock()
  await held.query('commit')
  held.release()
  expect(await adopted).toBe(true)
  const found = await store.load(sidIdentity('a').proof)
  const entries = found.status === 'live' ? found.record.entries : []
  const texts = entries.map(({ key, value }) => `${Buffer.from(key)}=${Buffer.from(value)}`)
  expect(texts).toContain('step=2')
})

test('a session that ended here stays ended, though the old application writes its row once more', async () => {
  await old.save('a', { user: 'ann' })
  const fallback = open()
  await fallback.adopt('a')
  await fallback.forget('a')
  await store.destroy({ id: sidIdentity('a').id })
  await old.save('a', { user: 'ann' })
  await fallback.adopt('a')
  expect(await isHere('a')).toBe(false)
})

test('a session that ends before it was moved stays ended as well', async () => {
  await old.save('a', { user: 'ann' })
  const fallback = open()
  await fallback.forget('a')
  await fallback.forget('a')
  expect(await old.sids()).toEqual([])
  await old.save('a', { user: 'ann' })
  await fallback.adopt('a')
  expect(await isHere('a')).toBe(false)
})

test('marks are dead, open nothing, and are purged once no late row could live any more', async () => {
  await old.save('a', {}, 60_000)
  await open().adopt('a')
  expect(await store.count()).toEqual({ live: 1, expired: 1 })
  expect(await store.purge(10)).toBe(0)
  await old.database.query(
    `update sessions.session set purge_at = purge_at - interval '2 days 1 hour',
       expires_at = expires_at - interval '2 days 1 hour'`,
  )
  expect(await store.purge(10)).toBe(2)
})

test('a deadline is read in the zone that it was written in', async () => {
  const zone = 'America/New_York'
  await old.pool.query(`set timezone = '${zone}'`)
  await old.insert('a', '{"cookie":{}}', `(now() + interval '1 hour') at time zone '${zone}'`)
  await old.insert('b', '{"cookie":{}}', `(now() - interval '1 hour') at time zone '${zone}'`)
  const utc = open({ table: { timeZone: 'UTC' } })
  expect(await utc.adopt('a')).toBe(false)
  const there = open({ table: { timeZone: zone } })
  expect(await there.adopt('a')).toBe(true)
  expect(await there.adopt('b')).toBe(false)
  const found = await store.load(sidIdentity('a').proof)
  const { expiresAt, now } = found.status === 'live' ? found.record : expect.fail()
  expect(Math.abs(expiresAt - now - 3_600_000)).toBeLessThan(60_000)
})

test('a column that knows its zone needs none', async () => {
  await old.pool.query('alter table session alter column expire type timestamptz')
  await old.insert('a', '{"cookie":{}}', "now() + interval '1 hour'")
  await old.insert('b', '{"cookie":{}}', "now() - interval '1 hour'")
  const fallback = open({ table: { timeZone: 'Asia/Tokyo' } })
  expect(await fallback.adopt('a')).toBe(true)
  expect(await fallback.adopt('b')).toBe(false)
})

test('a table by any name, in any schema, is found', async () => {
  await old.pool.query(`create schema "Old Ones"`)
  await old.pool.query(`alter table session rename to "my ""sessions"""`)
  await old.pool.query(`alter table "my ""sessions""" set schema "Old Ones"`)
  await old.pool.query(
    `insert into "Old Ones"."my ""sessions""" values ('a', '{}', now() + interval '1 day')`,
  )
  const fallback = open({ table: { schema: 'Old Ones', table: 'my "sessions"' } })
  expect(await fallback.adopt('a')).toBe(true)
})

test('a table that is not there is an error that names it, and not a visitor without a session', async () => {
  const fallback = open({ table: { table: 'sesion' } })
  await expect(fallback.adopt('a')).rejects.toMatchObject({
    code: 'ERR_SCHEMA_MISSING',
    message: expect.stringContaining('sesion'),
  })
  await old.pool.query('alter table session drop column expire')
  await expect(open().adopt('a')).rejects.toMatchObject({ code: 'ERR_SCHEMA_OUTDATED' })
})

test.each<[object]>([
  [{ table: '' }],
  [{ table: 'x'.repeat(64) }],
  [{ schema: 'nul\0' }],
  [{ timeZone: 'Mars/Olympus' }],
  [{ timeZone: '+02:00' }],
])('%j is refused at construction', (table) => {
  expect(() => open({ table })).toThrow(/names of 1 to 63 bytes|time zone/)
})
