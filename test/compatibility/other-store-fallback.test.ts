import express from 'express'
import session from 'express-session'
import pg from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { serve } from '../adapters/listen.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { sessionOf } from './express-session-application.ts'

const SECRET = 'the one of always'
let database: TestDatabase
let pool: pg.Pool

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url, max: 10 })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

/** One process of the application. */
async function open(store: session.Store): Promise<string> {
  const app = express()
  const cookie = { maxAge: 86_400_000 }
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie }))
  app.post('/login/:user', (request, response) => {
    Object.assign(sessionOf(request), { user: request.params.user, basket: ['é'], visits: 0 })
    response.json({})
  })
  app.get('/', (request, response) => {
    const { user, basket } = sessionOf(request) as { user?: string; basket?: string[] }
    response.status(user ? 200 : 401).json({ user, basket })
  })
  app.post('/logout', (request, response, next) => {
    sessionOf(request).destroy((error: unknown) => (error ? next(error) : response.json({})))
  })
  const { origin, close } = await serve(app)
  onTestFinished(close)
  return origin
}

/** A process that has switched over. */
async function openNew(old: unknown): Promise<string> {
  const store = new PgSessionStore({ pool, fallback: { store: old as never }, log: false })
  onTestFinished(() => store.close())
  return open(store)
}

async function login(origin: string, user: string): Promise<string> {
  const { headers } = await fetch(`${origin}/login/${user}`, { method: 'POST' })
  return headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

async function visit(origin: string, cookie: string): Promise<[number, unknown]> {
  const answer = await fetch(origin, { headers: { cookie } })
  return [answer.status, await answer.json().catch(() => null)]
}

const sidsOf = (store: session.MemoryStore): Promise<number> =>
  new Promise((resolve) => store.all?.((_, all) => resolve(Object.keys(all ?? {}).length)))

test('users who signed in on another store stay signed in, with what they stored', async () => {
  const old = new session.MemoryStore()
  const before = await open(old)
  const [ann, bob] = [await login(before, 'ann'), await login(before, 'bob')]
  const after = await openNew(old)
  expect(await visit(after, ann)).toEqual([200, { user: 'ann', basket: ['é'] }])
  expect(await sidsOf(old)).toBe(1)
  expect(await visit(after, ann)).toEqual([200, { user: 'ann', basket: ['é'] }])
  expect(await visit(after, bob)).toEqual([200, { user: 'bob', basket: ['é'] }])
  expect(await sidsOf(old)).toBe(0)
  expect(await visit(after, await login(after, 'cid'))).toEqual([
    200,
    { user: 'cid', basket: ['é'] },
  ])
})

test('of many requests on two processes at once all find the session', async () => {
  const old = new session.MemoryStore()
  const cookie = await login(await open(old), 'ann')
  const processes = [await openNew(old), await openNew(old)]
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, n) => visit(processes[n % 2] ?? '', cookie)),
  )
  expect(answers.map(([status]) => status)).toEqual(Array(40).fill(200))
})

test('a session that has ended here stays ended, also when an old process writes it again', async () => {
  const old = new session.MemoryStore()
  const before = await open(old)
  const [moved, unmoved] = [await login(before, 'ann'), await login(before, 'bob')]
  const kept = new Map(Object.entries((old as unknown as { sessions: object }).sessions))
  const after = await openNew(old)
  await visit(after, moved)
  for (const cookie of [moved, unmoved]) {
    const answer = await fetch(`${after}/logout`, { method: 'POST', headers: { cookie } })
    expect(answer.status).toBe(200)
  }
  for (const [sid, text] of kept)
    await new Promise<void>((resolve) => old.set(sid, JSON.parse(text), () => resolve()))
  expect(await sidsOf(old)).toBe(2)
  expect((await visit(after, moved))[0]).toBe(401)
  expect((await visit(after, unmoved))[0]).toBe(401)
})

test('a store that fails, throws or never answers is an error, never a visitor signed out', async () => {
  const secret = new Error('redis://:secret@host')
  const stores: Record<string, (callback: (error?: unknown) => void) => unknown> = {
    fails: (callback) => callback(secret),
    rejects: () => Promise.reject(secret),
    throws: () => {
      throw secret
    },
    waits: () => undefined,
    'has no socket': (callback) =>
      callback(Object.assign(new Error('connect'), { code: 'ENOENT', syscall: 'connect' })),
    'rejects by a promise of its own': () => ({
      then: (_: unknown, reject: (error: unknown) => void) => reject(secret),
    }),
  }
  const cookie = await login(await open(new session.MemoryStore()), 'ann')
  for (const [what, get] of Object.entries(stores)) {
    const store = new PgSessionStore({
      pool,
      fallback: { store: { get: (_, callback) => get(callback), destroy: (_, done) => done() } },
      deadline: '500ms',
      log: false,
    })
    const [status, body] = await visit(await open(store), cookie)
    expect([what, status, body]).toEqual([what, 503, null])
    await store.close()
  }
})

test('a session that cannot be removed there has moved all the same', async () => {
  const old = new session.MemoryStore()
  const cookie = await login(await open(old), 'ann')
  const stuck = {
    get: old.get.bind(old),
    destroy: (_: string, done: (error?: unknown) => void) => done(new Error('read-only')),
  }
  const after = await openNew(stuck)
  expect((await visit(after, cookie))[0]).toBe(200)
  expect(await sidsOf(old)).toBe(1)
  expect((await visit(after, cookie))[0]).toBe(200)
})

test('what is not a store, and a store beside a table, are refused', () => {
  expect(() => new PgSessionStore({ pool, fallback: { store: {} as never } })).toThrow(
    'fallback.store must be a store of express-session',
  )
  const both = { store: new session.MemoryStore() as never, table: 'session' }
  expect(() => new PgSessionStore({ pool, fallback: both })).toThrow('not both')
})

test('sessions move encrypted if the store encrypts', async () => {
  const old = new session.MemoryStore()
  const cookie = await login(await open(old), 'ann')
  const seal = { keys: [Buffer.from(crypto.getRandomValues(new Uint8Array(32)))] }
  const store = new PgSessionStore({ pool, fallback: { store: old as never }, seal, log: false })
  onTestFinished(() => store.close())
  const after = await open(store)
  expect(await visit(after, cookie)).toEqual([200, { user: 'ann', basket: ['é'] }])
  expect(await visit(after, cookie)).toEqual([200, { user: 'ann', basket: ['é'] }])
  const { rows } = await pool.query(`
    select e.value from sessions.session_entry as e join sessions.session as s on s.id = e.session_id
    order by s.created_at desc, e.key limit 2`)
  for (const { value } of rows) expect(value).toMatch(/^sealed:/)
})
