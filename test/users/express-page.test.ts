import express from 'express'
import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { fromPg } from 'pg-sessions/pg'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../adapters/listen.ts'
import { recordingDriver } from '../postgres/recording-driver.ts'
import { createTestDatabase } from '../support/database.ts'
import { cookieOf } from '../transactions/visitors.ts'

test('a page of Express that greets its user costs one statement', async () => {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url })
  await pool.query('create table account (id int primary key, name text)')
  await pool.query(`insert into account values (1, 'Ann')`)
  const { driver, sent } = recordingDriver(fromPg(pool))
  const sessions = createSessions({
    database: driver,
    user: { select: 'name', from: 'account', key: 'id' },
    log: false,
  })
  const app = express()
  app.use(expressSessions(sessions))
  app.get('/', async (req, res) => {
    await req.session.load()
    res.send(`Hello ${req.session.user?.['name'] ?? 'stranger'}`)
  })
  const server = await serve(app)
  onTestFinished(async () => {
    await server.close()
    await sessions.close()
    await pool.end()
    await database.drop()
  })
  const { cookie } = await cookieOf(sessions, '1')
  sent.length = 0
  const page = await fetch(server.origin, { headers: { cookie } })
  expect(await page.text()).toBe('Hello Ann')
  expect(sent).toEqual(['load'])
})
