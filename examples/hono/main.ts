import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { honoSessions } from 'pg-sessions/hono'
import { fromPg } from 'pg-sessions/pg'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

const app = new Hono()
  .use(honoSessions(sessions))
  .get('/', async (c) => {
    await c.var.session.load()
    return c.html(page(c.var.session.userId, c.var.session.data.clicks))
  })
  .post('/click', async (c) => {
    await c.var.session.update('clicks', (clicks = 0) => clicks + 1)
    return c.redirect('/')
  })
  .post('/login', async (c) => {
    await c.var.session.signIn('ann') // after you have checked the password
    return c.redirect('/')
  })
  .post('/logout', async (c) => {
    await c.var.session.signOut()
    return c.redirect('/')
  })

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: 'localhost' })
