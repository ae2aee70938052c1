import formbody from '@fastify/formbody'
import Fastify from 'fastify'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { fastifySessions } from 'pg-sessions/fastify'
import { fromPg } from 'pg-sessions/pg'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

const app = Fastify()
await app.register(formbody)
await app.register(fastifySessions(sessions))

app.get('/', async ({ session }, reply) => {
  await session.load()
  return reply.type('text/html').send(page(session.userId, session.data.clicks))
})
app.post('/click', async ({ session }, reply) => {
  await session.update('clicks', (clicks = 0) => clicks + 1)
  return reply.redirect('/')
})
app.post('/login', async ({ session }, reply) => {
  await session.signIn('ann') // after you have checked the password
  return reply.redirect('/')
})
app.post('/logout', async ({ session }, reply) => {
  await session.signOut()
  return reply.redirect('/')
})

await app.listen({ port: Number(process.env.PORT ?? 3000), host: 'localhost' })
