import { csrfSync } from 'csrf-sync'
import express, { type NextFunction, type Request, type Response } from 'express'
import { createSessions, MemoryStore } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { expect, it } from 'vitest'
import { serve } from '../adapters/listen.ts'
import { Browser } from './browser.ts'

it('csrf-sync keeps its token in a native session that is loaded', async () => {
  const sessions = createSessions({
    store: new MemoryStore(),
    cookie: { development: true },
    log: false,
  })
  const { csrfSynchronisedProtection, generateToken } = csrfSync({
    getTokenFromState: ({ session }) => session.data.csrfToken as string | undefined,
    storeTokenInState: ({ session }, token) => session.set('csrfToken', token),
    getTokenFromRequest: ({ query }) => query.token as string | undefined,
    ignoredMethods: ['HEAD'],
  })
  const app = express()
  app.use(expressSessions(sessions), async (request, _response, next) => {
    await request.session.load()
    next()
  })
  app.get('/form', (request, response) => void response.send(generateToken(request)))
  app.get('/pay', csrfSynchronisedProtection, (_request, response) => void response.send('paid'))
  app.use((_error: Error, _request: Request, response: Response, _next: NextFunction) => {
    response.sendStatus(403)
  })
  const running = await serve(app)
  const [ann, eve] = [new Browser(running.origin), new Browser(running.origin)]
  const token = (await ann.get('/form')).text
  expect((await ann.get('/form')).text, 'kept').toBe(token)
  expect((await ann.get(`/pay?token=${token}`)).text).toBe('paid')
  expect((await ann.get('/pay?token=other')).status).toBe(403)
  await eve.get('/form')
  expect((await eve.get(`/pay?token=${token}`)).status).toBe(403)
  await running.close()
})
