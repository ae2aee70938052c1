import express from 'express'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { fromPg } from 'pg-sessions/pg'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

const app = express()
app.use(expressSessions(sessions))

app.get('/', async (req, res) => {
  await req.session.load()
  res.send(page(req.session.userId, req.session.data.clicks))
})
app.post('/click', async (req, res) => {
  await req.session.update('clicks', (clicks = 0) => clicks + 1)
  res.redirect('/')
})
app.post('/login', async (req, res) => {
  await req.session.signIn('ann') // after you have checked the password
  res.redirect('/')
})
app.post('/logout', async (req, res) => {
  await req.session.signOut()
  res.redirect('/')
})

app.listen(Number(process.env.PORT ?? 3000), 'localhost')
