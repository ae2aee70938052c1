import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Pool } from 'pg'
import { createSessions, PostgresStore } from 'pg-sessions'
import { honoSessions } from 'pg-sessions/hono'
import { fromPg } from 'pg-sessions/pg'
import { IDLE_TIMEOUT, SAMPLE } from '../../data/visitors.ts'
import { forEach } from '../../store-level/contender.ts'
import { nativeOperations, nativeSchema } from '../../store-level/contenders/native.ts'
import type { StartApplication } from '../application.ts'

export const withoutSession: StartApplication = () => {
  const app = new Hono()
  app.get('/untouched', (c) => c.json({ page: 'untouched' }))
  app.get('/read', (c) => c.json({ name: SAMPLE.name }))
  app.post('/write', (c) => c.json({ saved: true }))
  app.post('/login', (c) => c.json({ user: 'ann' }))
  return listen(app)
}

export const native: StartApplication = async ({ postgres }, visitors) => {
  const pool = new Pool({ connectionString: postgres })
  const store = new PostgresStore({ driver: fromPg(pool), schema: nativeSchema('http_hono') })
  await store.ready()
  await forEach(visitors, nativeOperations(store, SAMPLE)['first save'])
  const sessions = createSessions({ store, idleTimeout: `${IDLE_TIMEOUT}ms`, log: false })
  const app = new Hono().use(honoSessions(sessions))
  app.get('/untouched', (c) => c.json({ page: 'untouched' }))
  app.get('/read', async (c) => c.json({ name: await c.get('session').get('name') }))
  app.post('/write', async (c) => {
    const session = c.get('session')
    const visits = (await session.get('visits')) as number
    session.set('visits', (visits % 1000) + 1)
    return c.json({ saved: true })
  })
  app.post('/login', async (c) => {
    const session = c.get('session')
    session.set('basket', [])
    await session.signIn('ann')
    return c.json({ user: 'ann' })
  })
  return listen(app)
}

async function listen(app: { readonly fetch: Hono['fetch'] }): Promise<{ port: number }> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port }
}
