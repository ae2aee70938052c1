import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createServer as createHttpServer, type Server } from 'node:http'
import { after, before, test } from 'node:test'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { Pool } from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'
import { createClient } from 'redis'

const USERS = 10_000
const BROWSERS = 24
const SECRET = 'the one of always'

let redisServer: ChildProcess
let redis: ReturnType<typeof createClient>
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const closing: (() => unknown)[] = []

/** A Redis of this test's own, on a free port of this machine, that keeps nothing on disk. */
before(async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  redisServer = spawn('redis-server', options, { stdio: 'ignore' })
  redis = createClient({ url: `redis://127.0.0.1:${port}` })
  redis.on('error', () => {})
  await redis.connect()
})
after(async () => {
  for (const close of closing.reverse()) await close()
  await redis.close()
  redisServer.kill()
  await pool.end()
})

interface Kept {
  user?: string
  basket?: unknown[]
  visits?: number
}

/** One process of the application. */
async function serve(store: session.Store): Promise<string> {
  const app = express()
  const cookie = { maxAge: 86_400_000 }
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie }))
  app.post('/visit', (request, response) => {
    const kept = request.session as Kept
    if (kept.user === undefined) return void response.sendStatus(401)
    kept.visits = (kept.visits ?? 0) + 1
    response.json({ user: kept.user, basket: kept.basket, visits: kept.visits })
  })
  const server: Server = createHttpServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The cookie of a browser whose session has this sid. */
function cookieOf(sid: string): string {
  const signature = createHmac('sha256', SECRET).update(sid).digest('base64').replace(/=+$/, '')
  return `connect.sid=${encodeURIComponent(`s:${sid}.${signature}`)}`
}

async function visit(origin: string, sid: string): Promise<Kept | number> {
  const headers = { cookie: cookieOf(sid) }
  const answer = await fetch(`${origin}/visit`, { method: 'POST', headers })
  return answer.status === 200 ? ((await answer.json()) as Kept) : answer.status
}

test('10 000 users of connect-redis stay signed in while two processes switch over under load', {
  timeout: 600_000,
}, async () => {
  const expires = new Date(Date.now() + 86_400_000).toISOString()
  const cookie = { originalMaxAge: 86_400_000, expires, httpOnly: true, path: '/' }
  for (let n = 0; n < USERS; n++) {
    const content = { cookie, user: `user ${n}`, basket: [n, 'é'], visits: 0 }
    void redis.set(`sess:sid${n}`, JSON.stringify(content), { EX: 86_400 })
  }
  assert.equal(await redis.dbSize(), USERS)

  const old = await serve(new RedisStore({ client: redis }))
  const openNew = (): Promise<string> => {
    const store = new PgSessionStore({
      pool,
      fallback: { store: new RedisStore({ client: redis }) },
      log: false,
    })
    closing.push(() => store.close())
    return serve(store)
  }
  const origins = [await openNew(), await openNew()]

  // The last requests of the old process, and a user who has two tabs.
  for (let n = 0; n < 100; n++) {
    assert.deepEqual(await visit(old, `sid${n}`), {
      user: `user ${n}`,
      basket: [n, 'é'],
      visits: 1,
    })
  }
  const wrong: unknown[] = []
  let next = 0
  const browser = async (): Promise<void> => {
    for (let n = next++; n < USERS; n = next++) {
      const visits = n < 100 ? 1 : 0
      const both = await Promise.all(origins.map((origin) => visit(origin, `sid${n}`)))
      for (const kept of both) {
        const { user, basket } = Object(kept) as Kept
        if (user !== `user ${n}` || JSON.stringify(basket) !== `[${n},"é"]`) wrong.push([n, kept])
      }
      const last = (await visit(origins[n % 2] ?? '', `sid${n}`)) as Kept
      if (typeof last !== 'object' || Number(last.visits) < visits + 2) wrong.push([n, last])
    }
  }
  await Promise.all(Array.from({ length: BROWSERS }, browser))
  assert.deepEqual(wrong, [])
  assert.equal(await redis.dbSize(), 0)
  const { rows } = await pool.query(
    'select count(*)::int as n from sessions.session where expires_at > now()',
  )
  assert.deepEqual(rows, [{ n: USERS }])
})
