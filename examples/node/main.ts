import { createServer } from 'node:http'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { nodeSessions } from 'pg-sessions/node'
import { fromPg } from 'pg-sessions/pg'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

const sessionOf = nodeSessions(sessions)

const server = createServer(async (request, response) => {
  const session = sessionOf(request, response)
  try {
    if (request.method === 'GET' && request.url === '/') {
      await session.load()
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end(page(session.userId, session.data.clicks))
      return
    }
    if (request.method !== 'POST') return void response.writeHead(404).end('There is no such page.')
    if (request.url === '/click') await session.update('clicks', (clicks = 0) => clicks + 1)
    if (request.url === '/login') await session.signIn('ann') // after you have checked the password
    if (request.url === '/logout') await session.signOut()
    response.writeHead(303, { Location: '/' }).end()
  } catch (error) {
    console.error(error)
    response.writeHead(500).end('That did not work. Please try again later.')
  }
})

server.listen(Number(process.env.PORT ?? 3000), 'localhost')
