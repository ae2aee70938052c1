import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { withSession } from 'pg-sessions/fetch'
import { fromPg } from 'pg-sessions/pg'
import { serve } from 'srvx'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

const handler = withSession(sessions, async (request, session) => {
  const { pathname } = new URL(request.url)
  if (request.method === 'GET' && pathname === '/') {
    await session.load()
    const headers = { 'Content-Type': 'text/html; charset=utf-8' }
    return new Response(page(session.userId, session.data.clicks), { headers })
  }
  const isAction = request.method === 'POST' && ['/click', '/login', '/logout'].includes(pathname)
  if (!isAction) return new Response('There is no such page.', { status: 404 })
  if (pathname === '/click') await session.update('clicks', (clicks = 0) => clicks + 1)
  if (pathname === '/login') await session.signIn('ann') // after you have checked the password
  if (pathname === '/logout') await session.signOut()
  return Response.redirect(new URL('/', request.url), 303)
})

// With Bun and Deno it is `export default { fetch: handler }`.
serve({ fetch: handler, port: Number(process.env.PORT ?? 3000), hostname: 'localhost' })
