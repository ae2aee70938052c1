import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import type { Store } from 'express-session'
import fastify, { type FastifyInstance } from 'fastify'
import { Pool } from 'pg'
import { createSessions, PostgresStore } from 'pg-sessions'
import { fastifySessions } from 'pg-sessions/fastify'
import { fromPg } from 'pg-sessions/pg'
import { IDLE_TIMEOUT, SAMPLE, type Visitor } from '../../data/visitors.ts'
import { forEach, type Servers } from '../../store-level/contender.ts'
import { nativeOperations, nativeSchema } from '../../store-level/contenders/native.ts'
import { COOKIE_SECRET, type StartApplication } from '../application.ts'
import { fastifySession } from './fastify-session.ts'

export const withoutSession: StartApplication = () => {
  const app = fastify()
  app.get('/untouched', async () => ({ page: 'untouched' }))
  app.get('/read', async () => ({ name: SAMPLE.name }))
  app.post('/write', async () => ({ saved: true }))
  app.post('/login', async () => ({ user: 'ann' }))
  return listen(app)
}

export const native: StartApplication = async ({ postgres }, visitors) => {
  const pool = new Pool({ connectionString: postgres })
  const store = new PostgresStore({ driver: fromPg(pool), schema: nativeSchema('http_fastify') })
  await store.ready()
  await forEach(visitors, nativeOperations(store, SAMPLE)['first save'])
  const sessions = createSessions({ store, idleTimeout: `${IDLE_TIMEOUT}ms`, log: false })
  const plugin = fastifySessions(sessions)
  const app = fastify()
  await app.register(plugin)
  app.get('/untouched', async () => ({ page: 'untouched' }))
  app.get('/read', async (request) => ({ name: await plugin.of(request).get('name') }))
  app.post('/write', async (request) => {
    const session = plugin.of(request)
    const visits = (await session.get('visits')) as number
    session.set('visits', (visits % 1000) + 1)
    return { saved: true }
  })
  app.post('/login', async (request) => {
    const session = plugin.of(request)
    session.set('basket', [])
    await session.signIn('ann')
    return { user: 'ann' }
  })
  return listen(app)
}

/** `@fastify/session` with its defaults, over any store for `express-session`. */
export function withFastifySession(open: (servers: Servers) => Promise<Store>): StartApplication {
  return async (servers, visitors) => {
    const store = await open(servers)
    await forEach(visitors, (visitor) => enter(store, visitor))
    const app = fastify()
    await app.register(fastifyCookie)
    await app.register(fastifySession, {
      store,
      secret: COOKIE_SECRET,
      cookie: { secure: false, maxAge: IDLE_TIMEOUT },
      saveUninitialized: false,
    })
    addPages(app)
    return listen(app)
  }
}

function addPages(app: FastifyInstance): void {
  const sessionOf = (request: object): Record<string, unknown> =>
    (request as { readonly session: unknown }).session as Record<string, unknown>
  app.get('/untouched', async () => ({ page: 'untouched' }))
  app.get('/read', async (request) => ({ name: sessionOf(request).name }))
  app.post('/write', async (request) => {
    const data = sessionOf(request)
    data.visits = ((data.visits as number) % 1000) + 1
    return { saved: true }
  })
  app.post('/login', async (request) => {
    await (sessionOf(request) as { regenerate(): Promise<void> }).regenerate()
    const data = sessionOf(request)
    data.user = 'ann'
    data.basket = []
    return { user: 'ann' }
  })
}

function enter(store: Store, { sid }: Visitor): Promise<void> {
  const cookie = {
    originalMaxAge: IDLE_TIMEOUT,
    expires: new Date(Date.now() + IDLE_TIMEOUT),
    httpOnly: true,
    path: '/',
    secure: false,
  }
  return new Promise((resolve, reject) =>
    store.set(sid, { cookie, ...SAMPLE }, (error: unknown) => (error ? reject(error) : resolve())),
  )
}

async function listen(app: FastifyInstance): Promise<{ port: number }> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { port: (app.server.address() as AddressInfo).port }
}
