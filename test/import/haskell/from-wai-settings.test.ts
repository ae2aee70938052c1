import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigurationError, createSessions } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { cereal } from 'pg-sessions/haskell/cereal'
import { fromWai } from 'pg-sessions/haskell/import'
import { fromPg } from 'pg-sessions/pg'
import { fromPglite } from 'pg-sessions/pglite'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { Visitor } from '../../support/each-store-visitor.ts'
import { openPglite } from '../../support/pglite.ts'
import { expected, openOriginalService } from './original-service.ts'

const key = expected.sessions[2]?.sessionKey ?? expect.fail()

async function movesAndReads(database: Driver): Promise<void> {
  const settings = fromWai({ database, schema: 'web', tables: { session: 'visit' } })
  const sessions = createSessions<Record<string, string>>({ ...settings, log: false })
  try {
    const ann = new Visitor(sessions, key)
    expect(await ann.visit((session) => session.get('user'))).toBe('héllo')
    expect(ann.token).toHaveLength(54)
    expect(await ann.visit((session) => session.get('nul'))).toBe('a\0b')
  } finally {
    await sessions.close()
  }
}

test('sessions move over postgres.js, into tables of any names', async () => {
  const original = await openOriginalService()
  const sql = postgres(original.database.url, { max: 4, onnotice: () => {} })
  try {
    await movesAndReads(fromPostgresJs(sql))
  } finally {
    await sql.end()
    await original.dispose()
  }
})

test('sessions move over PGlite', async () => {
  const db = await openPglite()
  await db.exec(
    readFileSync(new URL('../../interop/original-database.sql', import.meta.url), 'utf8'),
  )
  await db.exec(`set search_path to public; update wai_pg_sessions
    set session_last_access = session_last_access + extract(epoch from now())::bigint - ${expected.t0}`)
  try {
    await movesAndReads(fromPglite(db))
  } finally {
    await db.close()
  }
})

const database: Driver = {
  name: 'none',
  query: () => Promise.reject(new TypeError('not to be asked')),
  withConnection: () => Promise.reject(new TypeError('not to be asked')),
}

test.each<[string, object]>([
  ['needs a database', { database: undefined }],
  ['database must be a driver', { database: {} }],
  ['Did you mean timeout?', { timout: '1h' }],
  ["write '2s'", { timeout: '1500ms' }],
  ["mapping's key must be a type of pg-sessions/haskell/cereal", { key: 'string' }],
  ["mapping's value must be a type", { value: {} }],
  ["mapping's map must be a function", { map: {} }],
  ["mapping's codec must be", { codec: 'json' }],
  ['timeout', { timeout: 'soon' }],
  ['absoluteTimeout', { absoluteTimeout: 'soon' }],
  ['deadline', { deadline: 'soon' }],
  ['accept must be a regular expression', { keys: { accept: /a/ } }],
  ['pepper', { pepper: 'short' }],
  ['schema', { waiSchema: '' }],
])('a wrong option is refused when the settings are made: %s', (message, option) => {
  const make = () => fromWai({ database, value: cereal.string, ...option } as never)
  expect(make).toThrow(ConfigurationError)
  expect(make).toThrow(message)
})

test('the timeout of the other service is the idle timeout', () => {
  expect(fromWai({ database })).toMatchObject({ idleTimeout: '1h', absoluteTimeout: '30d' })
  expect(fromWai({ database, timeout: '8h' })).toMatchObject({ idleTimeout: '8h' })
  const long = fromWai({ database, timeout: '60d' })
  expect(long).toMatchObject({ idleTimeout: '60d', absoluteTimeout: '60d' })
  expect(() => createSessions({ ...long, log: false })).not.toThrow()
  expect(fromWai({ database, absoluteTimeout: 'none' })).toMatchObject({ absoluteTimeout: 'none' })
})

test('keys of a generator of their own need no generator here, since none are made', () => {
  expect(() => fromWai({ database, keys: { accept: /^[A-Za-z0-9]{32}$/ } })).not.toThrow()
})

test('without the old tables, an old key is an error that says so, not a stranger', async () => {
  const original = await openOriginalService()
  await original.pool.query('drop table wai_pg_sessions cascade')
  const sql = postgres(original.database.url, { max: 1, onnotice: () => {} })
  const settings = fromWai({ database: fromPostgresJs(sql) })
  const sessions = createSessions<Record<string, string>>({ ...settings, log: false })
  try {
    await expect(new Visitor(sessions, key).visit((session) => session.load())).rejects.toThrow(
      "The tables of wai-session-postgresql are not in schema 'public'. Name theirs, or leave out",
    )
  } finally {
    await sessions.close()
    await sql.end()
    await original.dispose()
  }
})

test('a session that moves is encrypted, and is not while the other service still reads it', async () => {
  const original = await openOriginalService()
  onTestFinished(() => original.dispose())
  const seal = { keys: [randomBytes(32)] }
  const settings = fromWai({ database: fromPg(original.pool) })
  const sessions = createSessions<Record<string, string>>({ ...settings, seal, log: false })
  const ann = new Visitor(sessions, key)
  expect(await ann.visit((session) => session.get('user'))).toBe('héllo')
  expect(await ann.visit((session) => session.get('nul'))).toBe('a\0b')
  const { rows } = await original.pool.query('select value from sessions.session_data')
  expect(rows.length).toBeGreaterThan(1)
  for (const { value } of rows) expect(value.subarray(0, 5).toString()).toBe('\0seal')
  await sessions.close()
  const keeping = fromWai({ database: fromPg(original.pool), keepKeys: true })
  expect(() => createSessions({ ...keeping, seal })).toThrow('could not read sealed ones')
})
