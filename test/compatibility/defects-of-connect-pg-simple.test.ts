import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import connectPgSimple from 'connect-pg-simple'
import { build } from 'esbuild'
import session from 'express-session'
import pg from 'pg'
import { PgSessionStore, type SidStoreOptions } from 'pg-sessions/express-session'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { expressSessionApplication, plainRoutes, sessionOf } from './express-session-application.ts'

/*
 * What goes wrong with connect-pg-simple 10, each shown on the real one and not happening with ours, over
 * real PostgreSQL.
 */

const TheirStore = connectPgSimple(session)
type TheirOptions = ConstructorParameters<typeof TheirStore>[0]

let database: TestDatabase
const open: { end(): Promise<void> }[] = []

beforeAll(async () => {
  database = await createTestDatabase()
})
afterEach(async () => {
  for (const it of open.splice(0).reverse()) await it.end()
  await database.query('drop schema if exists sessions cascade')
  await database.query('drop schema public cascade; create schema public')
})
afterAll(() => database.drop())

describe('1. after a first error', () => {
  it('theirs fails for ever, although the database is back', async () => {
    const store = theirs({ pool: poolOf('does_not_exist_yet_1') })
    await expect(get(store, 'sid')).rejects.toThrow('does not exist')
    await createDatabase('does_not_exist_yet_1')
    await expect(get(store, 'sid')).rejects.toThrow('does not exist')
  })
  it('ours works as soon as the database is back', async () => {
    const store = ours({ pool: poolOf('does_not_exist_yet_2') })
    await expect(get(store, 'sid')).rejects.toThrow()
    await createDatabase('does_not_exist_yet_2')
    await set(store, 'sid', { a: 1 })
    expect(await get(store, 'sid')).toEqual({ a: 1 })
  })
})

describe('2. instances that start at the same time', () => {
  const start = async (make: () => session.Store): Promise<unknown[]> => {
    const stores = Array.from({ length: 8 }, make)
    const started = await Promise.allSettled(stores.map((store) => get(store, 'sid')))
    return started.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []))
  }
  it('theirs fail to create the table', async () => {
    const pool = poolOf()
    let failed: unknown[] = []
    for (let round = 0; round < 50 && failed.length === 0; round++) {
      await pool.query('drop table if exists session')
      failed = await start(() => theirs({ pool }))
    }
    expect(failed).not.toEqual([])
  })
  it('ours all start', async () => {
    const pool = poolOf()
    for (let round = 0; round < 3; round++) {
      await pool.query('drop schema if exists sessions cascade')
      expect(await start(() => ours({ pool }))).toEqual([])
    }
  })
})

describe('3. two tables in one schema', () => {
  it('theirs cannot create the second', async () => {
    const pool = poolOf()
    await get(theirs({ pool, tableName: 'a' }), 'sid')
    await expect(get(theirs({ pool, tableName: 'b' }), 'sid')).rejects.toThrow('already exists')
  })
  it('ours can', async () => {
    const pool = poolOf()
    const [a, b] = ['a', 'b'].map((name) => ours({ pool, tables: { session: name } }))
    await set(a as session.Store, 'sid', { of: 'a' })
    expect(await get(b as session.Store, 'sid')).toBeNull()
    expect(await get(a as session.Store, 'sid')).toEqual({ of: 'a' })
  })
})

describe('4. in a bundle', () => {
  it('theirs does not find its table.sql', async () => {
    const code = `
      const Store = require('connect-pg-simple')(require('express-session'))
      const store = new Store({ pool, createTableIfMissing: true, errorLog() {} })`
    expect(await runBundle(code)).toMatch(/ENOENT.*table\.sql/)
  })
  it('ours creates its tables', async () => {
    const code = `
      const { PgSessionStore } = require('./src/compatibility/express-session.ts')
      const store = new PgSessionStore({ pool, log: false })`
    expect(await runBundle(code)).toBe('works')
  })
})

describe('5. clients with different time zones', () => {
  const zones = ['America/New_York', 'UTC'] as const
  const across = async (make: (pool: pg.Pool) => session.Store): Promise<boolean[]> => {
    const [west, utc] = zones.map((zone) => make(poolOf(undefined, `-c timezone=${zone}`)))
    await get(utc as session.Store, 'create tables')
    await set(west as session.Store, 'live', { cookie: expiringIn(3_600_000) })
    await set(utc as session.Store, 'dead', { cookie: expiringIn(500) })
    const isThere = async (store: session.Store | undefined, sid: string): Promise<boolean> =>
      (await get(store as session.Store, sid)) !== null
    await expect.poll(() => isThere(utc, 'dead'), { timeout: 5000 }).toBe(false)
    return [await isThere(utc, 'live'), await isThere(west, 'dead')]
  }
  it('theirs loses live sessions, and revives dead ones', async () => {
    expect(await across((pool) => theirs({ pool }))).toEqual([false, true])
  })
  it('ours has the same deadline everywhere', async () => {
    expect(await across((pool) => ours({ pool }))).toEqual([true, false])
  })
})

describe('6. a handler that throws', () => {
  it('theirs deletes the session, calls back twice and hides the error', async () => {
    await get(theirs({ pool: poolOf() }), 'create tables')
    expect(await runThrowing('theirs')).toEqual({ called: 2, uncaught: 0, kept: { a: null } })
  })
  it('ours keeps the session, calls back once, and the error is the application’s', async () => {
    expect(await runThrowing('ours')).toEqual({ called: 1, uncaught: 1, kept: { a: 1 } })
  })
})

describe('7. a save that comes after the logout', () => {
  const late = async (store: session.Store): Promise<unknown> => {
    await set(store, 'sid', { user: 'ann', cookie: {} })
    const loaded = (await get(store, 'sid')) as object
    await done((callback) => store.destroy('sid', callback))
    await set(store, 'sid', Object.assign(loaded, { late: true }))
    return get(store, 'sid')
  }
  it('brings the session back with theirs', async () => {
    expect(await late(theirs({ pool: poolOf() }))).toMatchObject({ user: 'ann', late: true })
  })
  it('brings nothing back with ours', async () => {
    expect(await late(ours({ pool: poolOf() }))).toBeNull()
  })
})

describe('8. 20 parallel requests that each set another key', () => {
  const race = async (store: session.Store): Promise<number> => {
    let waiting = 0
    let release: () => void = () => undefined
    const allHere = new Promise<void>((resolve) => {
      release = resolve
    })
    const application = await expressSessionApplication(store, (app) => {
      plainRoutes(app)
      app.get('/together/:key', async (request, response) => {
        if (++waiting === 20) release()
        await allHere
        sessionOf(request)[request.params.key] = true
        response.send('set')
      })
    })
    open.push({ end: () => application.close() })
    const ann = application.browser()
    await ann.get('/set/first/1')
    const keys = Array.from({ length: 20 }, (_, index) => `key${index}`)
    await Promise.all(keys.map((key) => ann.twin().get(`/together/${key}`)))
    return Object.keys((await ann.json('/read')) as object).length - 1
  }
  it('leave one with theirs', async () => {
    expect(await race(theirs({ pool: poolOf() }))).toBe(1)
  })
  it('leave all with ours', async () => {
    expect(await race(ours({ pool: poolOf() }))).toBe(20)
  })
})

describe('9. after a touch', () => {
  const touched = async (store: session.Store): Promise<number> => {
    const cookie = (maxAge: number): object => ({
      originalMaxAge: 3_600_000,
      expires: new Date(Date.now() + maxAge),
    })
    await set(store, 'sid', { cookie: cookie(60_000) })
    const loaded = { ...((await get(store, 'sid')) as object), cookie: cookie(3_600_000) }
    await done((callback) => store.touch?.('sid', loaded as session.SessionData, callback))
    const { cookie: seen } = (await get(store, 'sid')) as { cookie: { expires: string } }
    return Math.round((Date.parse(seen.expires) - Date.now()) / 60_000)
  }
  it('the cookie that theirs gives has the old expiry', async () => {
    expect(await touched(theirs({ pool: poolOf() }))).toBe(1)
  })
  it('the cookie that ours gives has the new one', async () => {
    expect(await touched(ours({ pool: poolOf(), touchInterval: '1ms' }))).toBe(60)
  })
})

describe('10. expiry', () => {
  /** Whether a session of 5 ms can be read 10 ms later, when that is in the same second. */
  const outlives = async (store: session.Store): Promise<boolean> => {
    await get(store, 'create tables')
    for (;;) {
      const expires = new Date(Date.now() + 5)
      await set(store, 'sid', { cookie: { expires } })
      while (Date.now() < expires.getTime() + 10) await new Promise(setImmediate)
      const found = await get(store, 'sid')
      if (Math.floor(Date.now() / 1000) === Math.floor((expires.getTime() - 5) / 1000)) {
        return found !== null
      }
    }
  }
  const invalid = { cookie: { expires: new Date(Number.NaN) } }

  it('is rounded up to a second by theirs, and an invalid date is an error', async () => {
    const store = theirs({ pool: poolOf() })
    expect(await outlives(store)).toBe(true)
    await expect(set(store, 'sid', invalid)).rejects.toThrow('NaN')
  })
  it('counts in milliseconds with ours, and an invalid date is none', async () => {
    const store = ours({ pool: poolOf() })
    expect(await outlives(store)).toBe(false)
    await set(store, 'invalid', invalid)
    expect(await get(store, 'invalid')).not.toBeNull()
  })
})

describe('11. pages that only read', () => {
  const updates = async (
    make: (pool: pg.Pool) => session.Store,
    table: string,
  ): Promise<{ updates: number; heapOnly: number }> => {
    const pool = poolOf()
    const application = await expressSessionApplication(make(pool), plainRoutes, {
      cookie: { maxAge: 3_600_000 },
      // Theirs keeps seconds: to touch twice within one changes nothing.
      genid: () => 'sid',
    })
    const ann = application.browser()
    await ann.get('/set/a/1')
    await database.query(`select pg_stat_reset_single_table_counters('${table}'::regclass)`)
    for (let page = 0; page < 5; page++) {
      const second = Math.floor(Date.now() / 1000)
      while (Math.floor(Date.now() / 1000) === second)
        await new Promise((turn) => setTimeout(turn, 20))
      await ann.get('/read')
    }
    await application.close()
    // The counts arrive when the connections that did it have ended.
    for (const it of open.splice(0)) await it.end()
    return countUpdates(table)
  }
  it('each cost an update with theirs, none of them heap-only', async () => {
    await expect
      .poll(() => updates((pool) => theirs({ pool }), 'public.session'), { timeout: 50_000 })
      .toEqual({ updates: 5, heapOnly: 0 })
  })
  it('cost no update with ours inside the touch interval', async () => {
    const make = (pool: pg.Pool): session.Store => ours({ pool, purgeInterval: 'never' })
    expect(await updates(make, 'sessions.session')).toEqual({ updates: 0, heapOnly: 0 })
  })
})

// What the stores are asked

function get(store: session.Store, sid: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    store.get(sid, (error, found) => (error ? reject(error) : resolve(found ?? null)))
  })
}

function set(store: session.Store, sid: string, stored: object): Promise<void> {
  return done((callback) => store.set(sid, stored as session.SessionData, callback))
}

function done(call: (callback: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())))
}

function expiringIn(milliseconds: number): object {
  return { originalMaxAge: milliseconds, expires: new Date(Date.now() + milliseconds) }
}

// What they are made of

function theirs(options: TheirOptions): session.Store {
  const store = new TheirStore({
    createTableIfMissing: true,
    pruneSessionInterval: false,
    errorLog: () => {},
    ...options,
  })
  return store
}

function ours(options: SidStoreOptions): session.Store {
  const store = new PgSessionStore({ log: false, ...options })
  open.push({ end: () => store.close() })
  return store
}

function poolOf(name?: string, options?: string): pg.Pool {
  const url = new URL(database.url)
  if (name !== undefined) url.pathname = `/${name}_${url.pathname.slice(-8)}`
  const pool = new pg.Pool({ connectionString: url.href, ...(options ? { options } : {}) })
  pool.on('error', () => {})
  open.push({ end: () => pool.end() })
  return pool
}

async function createDatabase(name: string): Promise<void> {
  const full = `${name}_${new URL(database.url).pathname.slice(-8)}`
  await database.query(`create database ${full}`)
  open.unshift({ end: () => database.query(`drop database ${full} with (force)`).then(() => {}) })
}

async function countUpdates(table: string): Promise<{ updates: number; heapOnly: number }> {
  const [row] = await database.query(
    `select n_tup_upd::int as updates, n_tup_hot_upd::int as "heapOnly"
     from pg_stat_user_tables where relid = '${table}'::regclass`,
  )
  return row as { updates: number; heapOnly: number }
}

// What runs in a process of its own

const root = fileURLToPath(new URL('../../', import.meta.url))

async function runBundle(makeStore: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-bundle-'))
  open.push({ end: () => rm(folder, { recursive: true, force: true }) })
  const contents = `
    const pg = require('pg')
    const pool = new pg.Pool({ connectionString: process.env.TEST_URL })
    ${makeStore}
    store.get('sid', (error) => {
      console.log(error ? error.message : 'works')
      process.exit()
    })`
  const outfile = join(folder, 'bundle.cjs')
  await build({
    stdin: { contents, resolveDir: root },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['pg-native'],
    logLevel: 'silent',
  })
  return run([outfile])
}

async function runThrowing(side: 'ours' | 'theirs'): Promise<unknown> {
  const file = fileURLToPath(new URL('throwing-application.ts', import.meta.url))
  return JSON.parse(await run(['--import', 'tsx', file, side, database.url]))
}

async function run(args: readonly string[]): Promise<string> {
  const env = { ...process.env, TEST_URL: database.url }
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env })
  return stdout.trim()
}
