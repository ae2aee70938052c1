import { H3, redirect, serve } from 'h3'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { h3Sessions } from 'pg-sessions/h3'
import { fromPg } from 'pg-sessions/pg'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

const app = new H3()
  .register(h3Sessions(sessions))
  .get('/', async ({ context, res }) => {
    await context.session.load()
    res.headers.set('Content-Type', 'text/html; charset=utf-8')
    return page(context.session.userId, context.session.data.clicks)
  })
  .post('/click', async ({ context }) => {
    await context.session.update('clicks', (clicks = 0) => clicks + 1)
    return redirect('/')
  })
  .post('/login', async ({ context }) => {
    await context.session.signIn('ann') // after you have checked the password
    return redirect('/')
  })
  .post('/logout', async ({ context }) => {
    await context.session.signOut()
    return redirect('/')
  })

serve(app, { port: Number(process.env.PORT ?? 3000), hostname: 'localhost' })
