import { createRequire } from 'node:module'
import connect from 'connect'
import express from 'express'
import expressSession from 'express-session'
import Fastify, { type FastifyPluginCallback } from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import koaSession from 'koa-session'
import { expressSessions } from 'pg-sessions/express'
import { fastifySessions } from 'pg-sessions/fastify'
import { honoSessions } from 'pg-sessions/hono'
import { koaSessions } from 'pg-sessions/koa'
import { connectSessions, nodeSessions } from 'pg-sessions/node'
import { describe, expect, it } from 'vitest'
import { askOnce } from './listen.ts'
import { memorySessions } from './memory-sessions.ts'

// Its types and those of our own adapter give `request.session` two types in one program.
const load = createRequire(import.meta.url)
const fastifyCookie = load('@fastify/cookie') as FastifyPluginCallback
const fastifySession = load('@fastify/session') as FastifyPluginCallback<Record<string, unknown>>

const taken =
  /found another library's session on this request .* Mount the two on different routes, or /
const options = {
  secret: 'a secret of thirty-two characters',
  resave: false,
  saveUninitialized: true,
}

describe('beside another library of sessions', () => {
  it('expressSessions refuses a request that express-session has given its own session', async () => {
    const app = express()
    app.use(expressSession(options), expressSessions(memorySessions()))
    app.get('/', (req, res) => {
      req.session.set('a', 1)
      res.send('changed')
    })
    expect(await failureOf(app)).toMatch(taken)
  })

  it('expressSessions refuses a request with the getter of cookie-session', async () => {
    const app = express()
    app.use((req, _res, next) => {
      Object.defineProperty(req, 'session', {
        configurable: true,
        get() {
          throw new RangeError('The getter was called.')
        },
      })
      next()
    })
    app.use(expressSessions(memorySessions()))
    expect(await failureOf(app)).toMatch(taken)
  })

  it('connectSessions refuses a request that express-session has given its own session', async () => {
    const app = connect()
    app.use(expressSession(options) as connect.NextHandleFunction)
    app.use(connectSessions(memorySessions()))
    expect(await failureOf(app as unknown as express.Express)).toMatch(taken)
  })

  it('koaSessions refuses a context that koa-session has extended', async () => {
    const app = new Koa()
    const errors: unknown[] = []
    app.on('error', (error) => errors.push(error))
    app.keys = ['a key']
    app.use(koaSession({}, app)).use(koaSessions(memorySessions()))
    const { response } = await askOnce(app.callback())
    expect(response.status).toBe(500)
    expect(String(errors[0])).toMatch(taken)
  })

  it('fastifySessions refuses an application that has @fastify/session', async () => {
    const app = Fastify()
    await app.register(fastifyCookie)
    await app.register(fastifySession, { secret: options.secret })
    await expect(async () => app.register(fastifySessions(memorySessions()))).rejects.toThrow(taken)
    await app.close()
  })

  it('honoSessions refuses a context that holds the session of another middleware', async () => {
    const app = new Hono<{ Variables: { session: unknown } }>()
    const errors: unknown[] = []
    app.onError((error, c) => {
      errors.push(error)
      return c.text('failed', 500)
    })
    app.use(async (c, next) => {
      c.set('session', { theirs: true })
      await next()
    })
    app.use(honoSessions(memorySessions()) as never)
    expect((await app.request('/')).status).toBe(500)
    expect(String(errors[0])).toMatch(taken)
  })

  it('adapters of two kinds, made of the same sessions, give a request one session', async () => {
    const sessions = memorySessions()
    const sessionOf = nodeSessions(sessions)
    const own = connectSessions(sessions)
    const app = express()
    app.use(expressSessions(sessions))
    app.use((req, res, next) => own(req, res, next))
    app.get('/', async (req, res) => {
      req.session.set('a', 1)
      res.json({
        isOne: sessionOf(req, res) === req.session && own.of(req) === req.session,
        entries: await own.of(req).entries(),
      })
    })
    const { response, text } = await askOnce(app)
    expect(JSON.parse(text)).toEqual({ isOne: true, entries: [['a', 1]] })
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(await sessions.count()).toMatchObject({ live: 1 })
  })
})

/** What the application's error page is given. */
async function failureOf(app: express.Express): Promise<string> {
  const onError: express.ErrorRequestHandler = (error, _req, res, _next) => {
    res.statusCode = 500
    res.end(String(error))
  }
  app.use(onError)
  const { response, text } = await askOnce(app)
  expect(response.status).toBe(500)
  return text
}
