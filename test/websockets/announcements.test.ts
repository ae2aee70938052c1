import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { PostgresStore, type WatchEndReason } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import type { RevocationFeed } from 'pg-sessions/store'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AnnouncementListener } from '../../src/postgres/announcement-listener.ts'
import { SessionWatcher, type WatchTerms } from '../../src/session/session-watcher.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type WatchedStore, watchStore } from '../support/each-store-watch.ts'
import { startTransactionPooler } from '../support/transaction-pooler.ts'

/** The watcher does not look by itself, neither at once nor later: what it tells was announced, or found when listening began. */
const NEVER = 3_600_000
const HINTS_ALONE: WatchTerms = { interval: NEVER, reassurance: NEVER }
/** Looks while there are no reliable hints, and never while there are. */
const FLOOR_ALONE: WatchTerms = { interval: 50, reassurance: NEVER }

const SILENT = { error() {}, warn() {}, info() {}, debug() {} }

let database: TestDatabase
/** Another process, which asks the database directly. */
let elsewhere: PostgresStore
let pool: pg.Pool
let proxy: FaultProxy
const cleanUp: (() => unknown)[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  elsewhere = new PostgresStore({ driver: fromPg(pool) })
  await elsewhere.ready()
})
beforeEach(async () => {
  proxy = await startFaultProxy(database.url)
})
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
  proxy.cut()
  await proxy.close()
})
afterAll(async () => {
  await elsewhere.close()
  await pool.end()
  await database.drop()
})

type Listen = NonNullable<Driver['listen']>

/** What listens by way of a connection string, on connections that the server knows as `ear`. */
function listenerOver(client: string, url: string): Listen {
  if (client === 'pg') {
    const ear = new pg.Pool({ connectionString: url, application_name: 'ear' })
    cleanUp.push(() => ear.end())
    return bound(fromPg(ear))
  }
  const ear = postgres(url, { connection: { application_name: 'ear' }, onnotice: () => {} })
  cleanUp.push(() => ear.end({ timeout: 0 }))
  return bound(fromPostgresJs(ear))
}

function bound(driver: Driver): Listen {
  if (driver.listen === undefined) throw new TypeError(`${driver.name} cannot listen`)
  return driver.listen.bind(driver)
}

interface Watching {
  readonly watcher: SessionWatcher
  /** What it asks of its store. */
  readonly calls: WatchedStore['calls']
  /** Whether it relies on being told. */
  isReliable(): boolean
}

/** A process that asks the database directly, and listens by way of `listen`. */
function openWatcher(listen: Listen, terms: WatchTerms): Watching {
  const { query, withConnection } = fromPg(pool)
  const store = new PostgresStore({ driver: { name: 'split', query, withConnection, listen } })
  const watched = watchStore(store)
  let hints: RevocationFeed | null = null
  const seen = new Proxy(watched.store, {
    get: (target, member) =>
      member === 'listen'
        ? async (onHint: (id: string | null) => void) => {
            hints = await store.listen(onHint)
            return hints
          }
        : Reflect.get(target, member),
  })
  const watcher = new SessionWatcher(seen, SILENT, terms)
  cleanUp.push(async () => {
    await watcher.close()
    await store.close()
  })
  return { watcher, calls: watched.calls, isReliable: () => hints?.isReliable === true }
}

/** Stores a session, and tells its id. */
async function newSession(): Promise<string> {
  const id = randomUUID()
  await elsewhere.create({
    id,
    secretHash: Buffer.alloc(32),
    userId: 'ann',
    lifetime: { idle: 60_000, purge: 60_000 },
    ownIdleTimeout: null,
    absolute: Number.POSITIVE_INFINITY,
    entries: [],
  })
  return id
}

function ended({ watcher }: Watching, id: string): Promise<WatchEndReason> {
  return new Promise((resolve) => {
    watcher.watch(id, resolve)
  })
}

/** Resolves once the watcher listens on one connection, other than `before`, and has looked at everything. */
async function untilItHears(watching: Watching, before?: unknown): Promise<void> {
  await expect
    .poll(async () => {
      const pids = await listeners()
      return watching.isReliable() && pids.length === 1 && pids[0] !== before
    }, PATIENT)
    .toBe(true)
  await expect.poll(() => isAtRest(watching), PATIENT).toBe(true)
}

const PATIENT = { timeout: 20_000 }

/** Whether it asks nothing at the moment: it has looked at what it was told to. */
async function isAtRest({ calls }: Watching): Promise<boolean> {
  const before = calls.length
  await elsewhere.findLive([])
  await elsewhere.findLive([])
  return calls.length === before
}

async function listeners(): Promise<unknown[]> {
  const rows = await database.query(
    `select pid from pg_stat_activity
     where datname = current_database() and application_name = 'ear' and query ilike 'listen%'`,
  )
  return rows.map(({ pid }) => pid)
}

describe.each(['pg', 'postgres.js'])('a watch that listens over %s', (client) => {
  test('finds what ended unannounced while its connection was cut, once it is back', async () => {
    const watching = openWatcher(listenerOver(client, proxy.url), HINTS_ALONE)
    const id = await newSession()
    const end = ended(watching, id)
    await untilItHears(watching)
    await proxy.refuse()
    await database.query(`delete from sessions.session where id = '${id}'`)
    await proxy.pass()
    expect(await end).toBe('gone')
  })

  test('is told of ends again after its backend was terminated', async () => {
    const watching = openWatcher(listenerOver(client, proxy.url), HINTS_ALONE)
    const id = await newSession()
    const end = ended(watching, id)
    await untilItHears(watching)
    const [before] = await listeners()
    await database.query(`select pg_terminate_backend(${before})`)
    await untilItHears(watching, before)
    await elsewhere.destroy({ id })
    expect(await end).toBe('gone')
  })

  test('looks at once at a session that it is given, which may have ended unheard', async () => {
    const watching = openWatcher(listenerOver(client, proxy.url), HINTS_ALONE)
    watching.watcher.watch(await newSession(), () => {})
    await untilItHears(watching)
    const id = await newSession()
    await database.query(`delete from sessions.session where id = '${id}'`)
    expect(await ended(watching, id)).toBe('gone')
  })

  test('does not believe in a connection that has fallen silent, and hears on the next', async () => {
    const hints: (string | null)[] = []
    const listener = new AnnouncementListener(
      {
        listen: listenerOver(client, proxy.url),
        channel: 'silence',
        announce: (id) => void pool.query('select pg_notify($1, $2)', ['silence', id]),
        onHint: (id) => hints.push(id),
      },
      { patience: 500, heartbeat: 50, shortestPause: 20, longestPause: 100 },
    )
    cleanUp.push(() => listener.stop())
    await expect.poll(() => listener.isReliable, PATIENT).toBe(true)
    await proxy.blackHole()
    await expect.poll(() => listener.isReliable, PATIENT).toBe(false)
    hints.length = 0
    proxy.passNew()
    // Postgres.js keeps its connection until TCP finds it dead.
    if (client === 'postgres.js') proxy.cut()
    await expect.poll(() => listener.isReliable, PATIENT).toBe(true)
    expect(hints[0]).toBeNull()
  })

  test('looks by itself behind a pooler that lends connections per transaction', async () => {
    await using pooler = await startTransactionPooler(database.url, 3)
    const watching = openWatcher(listenerOver(client, pooler.url), FLOOR_ALONE)
    const id = await newSession()
    const end = ended(watching, id)
    const isListening = `select from pg_stat_activity
      where application_name = 'pooler' and query ilike 'listen%'`
    await expect.poll(() => database.query(isListening)).not.toEqual([])
    const looks = watching.calls.length
    // Sooner than the listener can give up what it had believed in.
    const soon = { timeout: 4000 }
    await expect.poll(() => watching.calls.length, soon).toBeGreaterThan(looks + 2)
    await elsewhere.destroy({ id })
    expect(await end).toBe('gone')
  })

  test('can be closed before it is connected, and leaves no connection behind', async () => {
    await proxy.blackHole()
    const { watcher } = openWatcher(listenerOver(client, proxy.url), FLOOR_ALONE)
    watcher.watch(await newSession(), () => {})
    await expect.poll(() => proxy.connections).toBe(1)
    await watcher.close()
    const arrived = new Promise<void>((resolve) => {
      proxy.onMessage(({ from, bytes }) => {
        if (from === 'client' && /^(listen|.{0,40}listen) /i.test(String(bytes.subarray(5))))
          resolve()
      })
    })
    await proxy.pass()
    await arrived
    if (client === 'postgres.js') for (const clean of cleanUp.splice(0)) await clean()
    await expect.poll(() => proxy.connections, PATIENT).toBe(0)
  })
})
