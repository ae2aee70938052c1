import Koa from 'koa'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { koaSessions } from 'pg-sessions/koa'
import { fromPg } from 'pg-sessions/pg'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

const app = new Koa()
app.use(koaSessions(sessions))

app.use(async (ctx) => {
  const { session } = ctx
  if (ctx.method === 'GET' && ctx.path === '/') {
    await session.load()
    ctx.body = page(session.userId, session.data.clicks)
  } else if (ctx.method === 'POST' && ctx.path === '/click') {
    await session.update('clicks', (clicks = 0) => clicks + 1)
    ctx.redirect('/')
  } else if (ctx.method === 'POST' && ctx.path === '/login') {
    await session.signIn('ann') // after you have checked the password
    ctx.redirect('/')
  } else if (ctx.method === 'POST' && ctx.path === '/logout') {
    await session.signOut()
    ctx.redirect('/')
  }
})

app.listen(Number(process.env.PORT ?? 3000), 'localhost')
