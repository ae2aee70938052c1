import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import session, { type SessionValue, type Store } from 'express-session'
import { Pool } from 'pg'
import { createSessions, PostgresStore } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { fromPg } from 'pg-sessions/pg'
import { IDLE_TIMEOUT, SAMPLE } from '../../data/visitors.ts'
import { forEach, type Servers } from '../../store-level/contender.ts'
import { expressOperations } from '../../store-level/contenders/express-session-stores.ts'
import { nativeOperations, nativeSchema } from '../../store-level/contenders/native.ts'
import { COOKIE_SECRET, type StartApplication } from '../application.ts'

export const withoutSession: StartApplication = () => {
  const app = express()
  app.get('/untouched', (_request, response) => response.json({ page: 'untouched' }))
  app.get('/read', (_request, response) => response.json({ name: SAMPLE.name }))
  app.post('/write', (_request, response) => response.json({ saved: true }))
  app.post('/login', (_request, response) => response.json({ user: 'ann' }))
  return listen(app)
}

export const native: StartApplication = async ({ postgres }, visitors) => {
  const pool = new Pool({ connectionString: postgres })
  const store = new PostgresStore({ driver: fromPg(pool), schema: nativeSchema('http') })
  await store.ready()
  await forEach(visitors, nativeOperations(store, SAMPLE)['first save'])
  const sessions = createSessions({ store, idleTimeout: `${IDLE_TIMEOUT}ms`, log: false })
  const app = express()
  app.use(expressSessions(sessions))
  app.get('/untouched', (_request, response) => response.json({ page: 'untouched' }))
  app.get('/read', async (request, response) => {
    response.json({ name: await request.session.get('name') })
  })
  app.post('/write', async (request, response) => {
    const visits = (await request.session.get('visits')) as number
    request.session.set('visits', (visits % 1000) + 1)
    response.json({ saved: true })
  })
  app.post('/login', async (request, response) => {
    request.session.set('basket', [])
    await request.session.signIn('ann')
    response.json({ user: 'ann' })
  })
  return listen(app)
}

/** `express-session` as its documentation recommends it, over any of its stores. */
export function expressSession(open: (servers: Servers) => Promise<Store>): StartApplication {
  return async (servers, visitors) => {
    const store = await open(servers)
    await forEach(visitors, expressOperations(store, SAMPLE)['first save'])
    const app = express()
    app.use(
      session({
        store,
        secret: COOKIE_SECRET,
        resave: false,
        saveUninitialized: false,
        cookie: { maxAge: IDLE_TIMEOUT },
      }),
    )
    addExpressSessionPages(app)
    return listen(app)
  }
}

/** `express-session` puts a plain object on the request. */
type PeerSession = SessionValue & { regenerate(callback: (error?: unknown) => void): void }

function addExpressSessionPages(app: Express): void {
  const sessionOf = (request: object): PeerSession =>
    (request as { readonly session: PeerSession }).session
  app.get('/untouched', (_request, response) => response.json({ page: 'untouched' }))
  app.get('/read', (request, response) => response.json({ name: sessionOf(request).name }))
  app.post('/write', (request, response) => {
    const data = sessionOf(request)
    data.visits = ((data.visits as number) % 1000) + 1
    response.json({ saved: true })
  })
  app.post('/login', (request, response, next) => {
    sessionOf(request).regenerate((error) => {
      if (error) return next(error)
      const data = sessionOf(request)
      data.user = 'ann'
      data.basket = []
      response.json({ user: 'ann' })
    })
  })
}

async function listen(app: Express): Promise<{ port: number }> {
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port }
}
