import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import pg from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { type OldApplication, openOldApplication } from '../import/old-application.ts'
import { type AnySession, sessionOf } from './express-session-application.ts'

const USERS = 10_000
const BROWSERS = 12
const SECRET = 'the one of always'
const cleanups: (() => Promise<unknown>)[] = []

let old: OldApplication
beforeAll(async () => {
  old = await openOldApplication()
  await old.pool.query(
    `insert into session (sid, sess, expire)
     select 'sid of ' || n,
       json_build_object(
         'cookie', json_build_object(
           'originalMaxAge', 86400000, 'expires', now() + interval '1 day', 'httpOnly', true, 'path', '/'
         ),
         'user', 'user ' || n, 'basket', json_build_array(n, 'é'), 'visits', 0
       ),
       now() + interval '1 day'
     from generate_series(0, $1::int - 1) as n`,
    [USERS],
  )
}, 60_000)
afterAll(async () => {
  for (const clean of cleanups.reverse()) await clean()
  await old.dispose()
})

/** One process of the application. */
async function serve(store: session.Store): Promise<string> {
  const app = express()
  const cookie = { maxAge: 86_400_000 }
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie }))
  app.post('/visit', (request, response) => {
    const kept = sessionOf(request) as AnySession & { user?: string; visits?: number }
    if (kept.user === undefined) return response.sendStatus(401)
    kept.visits = (kept.visits ?? 0) + 1
    return response.json({ user: kept.user, visits: kept.visits })
  })
  app.get('/', (request, response) => {
    const kept = sessionOf(request) as AnySession & { user?: string; visits?: number }
    response.status(kept.user ? 200 : 401).json({ user: kept.user, visits: kept.visits })
  })
  app.post('/logout', (request, response, next) => {
    sessionOf(request).destroy((error: unknown) => (error ? next(error) : response.json({})))
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function openNewStore(): PgSessionStore {
  const pool = new pg.Pool({ connectionString: old.database.url, max: 5 })
  const store = new PgSessionStore({ pool, fallback: { table: 'session' }, log: false })
  cleanups.push(async () => {
    await store.close()
    await pool.end()
  })
  return store
}

/** The cookie that express-session set for this user long ago. */
function cookieOf(user: number): string {
  const sid = `sid of ${user}`
  const signature = createHmac('sha256', SECRET).update(sid).digest('base64').replace(/=+$/, '')
  return `connect.sid=${encodeURIComponent(`s:${sid}.${signature}`)}`
}

/** Users with their browsers, each of which waits for an answer before it asks for more. */
class Traffic {
  readonly wrong: object[] = []
  readonly visits: number[] = new Array<number>(USERS).fill(0)
  readonly signedOut = new Set<number>()
  answers = 0
  servers: readonly string[] = []
  #isOver = false

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: BROWSERS }, (_, each) => this.#browse(each)))
  }

  /** Waits until so many more requests have been answered. */
  async more(answers: number): Promise<void> {
    const goal = this.answers + answers
    while (this.answers < goal) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  end(): void {
    this.#isOver = true
  }

  /** Each browser has users of its own. It comes back to those whom it has served before. */
  async #browse(browser: number): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const newest = Math.floor(turn / 2)
      const chosen = turn % 2 === 0 ? newest : Math.floor(Math.random() * newest)
      const user = (browser + chosen * BROWSERS) % USERS
      await this.#visit(user)
      if (turn % 25 === 24) await this.#signOut(user)
      else if (turn % 5 === 0) await this.#look(user)
    }
  }

  async #visit(user: number): Promise<void> {
    const answer = await this.#ask('POST', '/visit', user)
    if (this.signedOut.has(user)) return this.#expect(user, answer, { status: 401 })
    const visits = (this.visits[user] ?? 0) + 1
    this.visits[user] = visits
    this.#expect(user, answer, { status: 200, user: `user ${user}`, visits })
  }

  async #look(user: number): Promise<void> {
    const answer = await this.#ask('GET', '/', user)
    if (this.signedOut.has(user)) return this.#expect(user, answer, { status: 401 })
    const visits = this.visits[user]
    this.#expect(user, answer, { status: 200, user: `user ${user}`, visits })
  }

  async #signOut(user: number): Promise<void> {
    const answer = await this.#ask('POST', '/logout', user)
    this.signedOut.add(user)
    this.#expect(user, answer, { status: 200 })
  }

  #expect(user: number, answer: object, wanted: object): void {
    if (JSON.stringify(answer) !== JSON.stringify(wanted)) this.wrong.push({ user, answer, wanted })
  }

  async #ask(method: string, path: string, user: number): Promise<object> {
    const server = this.servers[Math.floor(Math.random() * this.servers.length)]
    const headers = { cookie: cookieOf(user) }
    const response = await fetch(server + path, { method, headers })
    const text = await response.text()
    this.answers++
    const body: object = text.startsWith('{') ? JSON.parse(text) : {}
    return { status: response.status, ...body }
  }
}

test('10 000 sessions are switched over under load: no login, no logout and no value is lost', async () => {
  const traffic = new Traffic()
  traffic.servers = [await serve(old.store)]
  const over = traffic.run()
  await traffic.more(300)

  // The old process gets no more requests and finishes those that it has; two new ones take over.
  const stores = [openNewStore(), openNewStore()]
  traffic.servers = await Promise.all(stores.map((store) => serve(store as session.Store)))
  await traffic.more(300)

  const imported = runCli(['import', 'connect-pg-simple', '--batch-size', '100', '--json'], {
    databaseUrl: old.database.url,
  })
  const { status, stdout } = await imported
  await traffic.more(100)
  traffic.end()
  await over

  expect(traffic.wrong).toEqual([])
  const report = JSON.parse(stdout)
  expect(report).toMatchObject({ complete: true, left: { expired: 0, known: 0, unreadable: [] } })
  expect({ status, busy: report.left.busy }).toEqual({ status: 0, busy: 0 })
  expect(report.moved).toBeGreaterThan(USERS / 2)
  expect(await old.sids()).toEqual([])

  const store = stores[0] as PgSessionStore
  const lost: number[] = []
  for (let first = 0; first < USERS; first += 100) {
    const users = Array.from({ length: 100 }, (_, each) => first + each)
    await Promise.all(
      users.map(async (user) => {
        const kept = await get(store, `sid of ${user}`)
        const wanted = traffic.signedOut.has(user)
          ? undefined
          : { user: `user ${user}`, basket: [user, 'é'], visits: traffic.visits[user] }
        if (JSON.stringify(kept) !== JSON.stringify(wanted)) lost.push(user)
      }),
    )
  }
  expect(lost).toEqual([])
  expect(traffic.signedOut.size).toBeGreaterThan(0)
}, 180_000)

function get(store: PgSessionStore, sid: string): Promise<object | undefined> {
  return new Promise((resolve, reject) => {
    store.get<{ user: string; basket: unknown; visits: number }>(sid, (error, found) => {
      if (error) reject(error)
      else if (!found) resolve(undefined)
      else resolve({ user: found.user, basket: found.basket, visits: found.visits })
    })
  })
}

test('the new processes bring nothing back that the old ones write late', async () => {
  const sid = 'sid of the late one'
  await old.save(sid, { user: 'late' })
  const store = openNewStore()
  expect(await get(store, sid)).toMatchObject({ user: 'late' })
  await old.save(sid, { user: 'late' })
  await new Promise((resolve) => store.destroy(sid, resolve))
  await old.save(sid, { user: 'late' })
  expect(await get(store, sid)).toBe(undefined)
  const { stdout } = await runCli(['import', 'connect-pg-simple'], {
    databaseUrl: old.database.url,
  })
  expect(stdout).toMatch(/Left 1 row written there after the session had moved/)
  expect(await get(store, sid)).toBe(undefined)
}, 60_000)
