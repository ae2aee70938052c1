import { Elysia } from 'elysia'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { elysiaSessions } from 'pg-sessions/elysia'
import { fromPg } from 'pg-sessions/pg'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

new Elysia()
  .use(elysiaSessions(sessions))
  .get('/', async ({ session, set }) => {
    await session.load()
    set.headers['content-type'] = 'text/html; charset=utf-8'
    return page(session.userId, session.data.clicks)
  })
  .post('/click', async ({ session, redirect }) => {
    await session.update('clicks', (clicks = 0) => clicks + 1)
    return redirect('/', 303)
  })
  .post('/login', async ({ session, redirect }) => {
    await session.signIn('ann') // after you have checked the password
    return redirect('/', 303)
  })
  .post('/logout', async ({ session, redirect }) => {
    await session.signOut()
    return redirect('/', 303)
  })
  .listen({ port: Number(process.env.PORT ?? 3000), hostname: 'localhost' })
