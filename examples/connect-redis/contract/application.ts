import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { Pool } from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'
import { createClient } from 'redis'

/** One process of an application with express-session. */
export interface Application {
  readonly origin: string
  close(): Promise<void>
}

/** The application as it was, on Redis. */
export async function startOld(redisUrl: string): Promise<Application> {
  const client = await createClient({ url: redisUrl })
    .on('error', () => {})
    .connect()
  const application = await serve(new RedisStore({ client }))
  return {
    ...application,
    async close() {
      await application.close()
      client.destroy()
    },
  }
}

/** The application after the switch: on PostgreSQL, with Redis as the fallback. */
export async function startNew(redisUrl: string): Promise<Application> {
  const client = await createClient({ url: redisUrl })
    .on('error', () => {})
    .connect()
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
  const fallback = { store: new RedisStore({ client }) }
  const store = new PgSessionStore({ pool, fallback, log: false })
  const application = await serve(store)
  return {
    ...application,
    async close() {
      await application.close()
      await store.close()
      await pool.end()
      client.destroy()
    },
  }
}

async function serve(store: session.Store): Promise<Application> {
  const app = express()
  const cookie = { maxAge: 86_400_000 }
  app.use(session({ store, secret: 'kept', resave: false, saveUninitialized: false, cookie }))
  app.post('/login/:user', (request, response) => {
    const { user } = request.params
    Object.assign(request.session, { user, basket: [`of ${user}`] })
    response.json({})
  })
  app.post('/note/:name', (request, response) => {
    Object.assign(request.session, { [`note-${request.params.name}`]: true })
    response.json({})
  })
  app.get('/', (request, response) => {
    const { cookie: _, ...held } = request.session
    response.json(held)
  })
  app.post('/logout', (request, response, next) => {
    request.session.destroy((error: unknown) => (error ? next(error) : response.json({})))
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Signs a user in, and gives the cookie. */
export async function login({ origin }: Application, user: string): Promise<string> {
  const { headers } = await fetch(`${origin}/login/${user}`, { method: 'POST' })
  return headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

/** What a user's session holds. */
export async function read({ origin }: Application, cookie: string): Promise<Held> {
  const answer = await fetch(origin, { headers: { cookie } })
  if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`)
  return (await answer.json()) as Held
}

export interface Held {
  readonly user?: string
  readonly basket?: readonly string[]
  readonly [note: string]: unknown
}

export async function post({ origin }: Application, path: string, cookie: string): Promise<void> {
  const { status } = await fetch(`${origin}${path}`, { method: 'POST', headers: { cookie } })
  if (status !== 200) throw new Error(`HTTP ${status}`)
}
