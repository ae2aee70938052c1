import express from 'express'
import Fastify from 'fastify'
import { H3 } from 'h3'
import { Hono } from 'hono'
import Koa from 'koa'
import { ConfigurationError } from 'pg-sessions'
import { astroSessions } from 'pg-sessions/astro'
import { elysiaSessions } from 'pg-sessions/elysia'
import { expressSessions } from 'pg-sessions/express'
import { fastifySessions } from 'pg-sessions/fastify'
import { withSession } from 'pg-sessions/fetch'
import { h3Sessions } from 'pg-sessions/h3'
import { honoSessions } from 'pg-sessions/hono'
import { koaSessions } from 'pg-sessions/koa'
import { connectSessions, nodeSessions } from 'pg-sessions/node'
import { sveltekitSessions } from 'pg-sessions/sveltekit'
import { describe, expect, it } from 'vitest'
import { askOnce } from './listen.ts'
import { memorySessions } from './memory-sessions.ts'

const sessions = memorySessions()
const mounted: Record<string, unknown> = {
  astroSessions: astroSessions(sessions),
  elysiaSessions: elysiaSessions(sessions),
  expressSessions: expressSessions(sessions),
  connectSessions: connectSessions(sessions),
  fastifySessions: fastifySessions(sessions),
  h3Sessions: h3Sessions(sessions),
  honoSessions: honoSessions(sessions),
  koaSessions: koaSessions(sessions),
  nodeSessions: nodeSessions(sessions),
  sveltekitSessions: sveltekitSessions(sessions),
  withSession: withSession(sessions, () => new Response()),
}

describe('an adapter that is mounted in the wrong way says what to write', () => {
  const inExpress = Object.entries(mounted).filter(([name]) => !/^(express|connect)/.test(name))

  it.each(inExpress)('%s in Express', async (name, adapter) => {
    const app = express()
    app.use(adapter as express.RequestHandler)
    const error = await failureOf(app)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(String(error)).toContain(`${name}(sessions) is mounted in the wrong way`)
  })

  it.each(['expressSessions', 'connectSessions', 'nodeSessions'])('%s in Koa', async (name) => {
    const app = new Koa()
    const errors: unknown[] = []
    app.on('error', (error) => errors.push(error))
    app.use(mounted[name] as Koa.Middleware)
    expect((await askOnce(app.callback())).response.status).toBe(500)
    expect(String(errors[0])).toContain(`${name}(sessions) is mounted in the wrong way`)
  })

  it.each(['expressSessions', 'connectSessions', 'honoSessions', 'koaSessions'])(
    '%s in Fastify',
    async (name) => {
      const app = Fastify()
      app.register(mounted[name] as never)
      await expect(app.ready()).rejects.toThrow(`${name}(sessions) is mounted in the wrong way`)
    },
  )

  it.each(['expressSessions', 'koaSessions', 'h3Sessions'])('%s in Hono', async (name) => {
    const errors: unknown[] = []
    const app = new Hono().use(mounted[name] as never).onError((error, c) => {
      errors.push(error)
      return c.text('failed', 500)
    })
    expect((await app.request('/')).status).toBe(500)
    expect(String(errors[0])).toContain(`${name}(sessions) is mounted in the wrong way`)
  })

  it('h3Sessions given to app.use', async () => {
    const errors: unknown[] = []
    const app = new H3({ silent: true, onError: (error) => void errors.push(error.cause) })
    app.use(mounted.h3Sessions as never).get('/', () => 'there')
    expect((await app.request('/')).status).toBe(500)
    expect(String(errors[0])).toContain(
      'Write app.register(h3Sessions(sessions)) in h3, not app.use',
    )
  })

  it('an adapter that was not called with its sessions', async () => {
    const app = express()
    app.use(expressSessions as never)
    expect(String(await failureOf(app))).toContain(
      'pass expressSessions(sessions), not expressSessions',
    )
  })
})

/** What the application's error page is given. */
async function failureOf(app: express.Express): Promise<unknown> {
  let failure: unknown
  const onError: express.ErrorRequestHandler = (error, _req, res, _next) => {
    failure = error
    res.end()
  }
  app.use(onError)
  await askOnce(app)
  return failure
}
