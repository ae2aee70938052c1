import { once } from 'node:events'
import { connect } from 'node:http2'
import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import type { Sessions } from 'pg-sessions'
import { fastifySessions } from 'pg-sessions/fastify'
import { adapterContract } from 'pg-sessions/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { openFastifyApplication } from './fastify-application.ts'
import { memorySessions, sessionsOnCreate, unsavableSessions } from './memory-sessions.ts'

describe('fastifySessions', () => {
  it('gives a stream that fails while the save is in progress to the error handler', async () => {
    const body = new Readable({ read() {} })
    const app = Fastify()
    await app.register(
      fastifySessions(
        sessionsOnCreate(() => {
          body.destroy(new RangeError('The stream has failed.'))
          return new Promise((resolve) => body.once('close', resolve))
        }),
      ),
    )
    app.get('/', (request, reply) => {
      request.session.set('a', 1)
      return reply.send(body)
    })
    const { statusCode, json } = await app.inject('/')
    expect([statusCode, json().message]).toEqual([500, 'The stream has failed.'])
    await app.close()
  })

  adapterContract({ describe, it }, openFastifyApplication)

  const apps: FastifyInstance[] = []
  const openApp = async (sessions: Sessions): Promise<FastifyInstance> => {
    const app = Fastify()
    apps.push(app)
    await app.register(fastifySessions(sessions))
    return app
  }
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()))
  })

  it("has Fastify's own error handler answer with the status of the failure", async () => {
    const app = await openApp(unsavableSessions())
    app.get('/', (request, reply) => {
      request.session.set('a', 1)
      return reply.header('x-mine', '1').send('changed')
    })
    const response = await app.inject('/')
    expect(response.json()).toMatchObject({ statusCode: 503, code: 'ERR_STORE_UNAVAILABLE' })
    expect(response.statusCode).toBe(503)
    expect(response.headers).not.toHaveProperty('x-mine')
    expect(response.headers).not.toHaveProperty('set-cookie')
  })

  it('keeps the headers that were there before the session changed, when its save fails', async () => {
    const app = await openApp(unsavableSessions())
    app.get('/', (request, reply) => {
      reply.header('x-early', '1').header('set-cookie', ['a=1', 'b=2'])
      request.session.set('a', 1)
      return reply.header('set-cookie', 'c=3').send('changed')
    })
    const { headers } = await app.inject('/')
    expect(headers).toMatchObject({ 'x-early': '1', 'set-cookie': ['a=1', 'b=2'], vary: 'Cookie' })
  })

  for (const [what, sessions, status] of [
    ['once', memorySessions, 302],
    ['not at all when the save fails', unsavableSessions, 503],
  ] as const) {
    it(`sends a redirect that an asynchronous handler does not return, ${what}`, async () => {
      const app = await openApp(sessions())
      app.get('/', async (request, reply) => {
        request.session.set('a', 1)
        reply.redirect('/there')
      })
      const { statusCode, headers } = await app.inject('/')
      const cookies = status === 302 ? 1 : 0
      expect([statusCode, [headers['set-cookie'] ?? []].flat().length]).toEqual([status, cookies])
    })
  }

  it('destroys a stream that is not sent', async () => {
    const app = await openApp(unsavableSessions())
    const body = Readable.from(['changed'])
    app.get('/', (request, reply) => {
      request.session.set('a', 1)
      return reply.send(body)
    })
    expect((await app.inject('/')).statusCode).toBe(503)
    expect(body.destroyed).toBe(true)
  })

  it('joins a Response of the Fetch standard, whose headers come last', async () => {
    const app = await openApp(memorySessions())
    app.get('/read', async (request) => {
      await request.session.entries()
      return new Response('read', { headers: { vary: 'Accept' } })
    })
    app.get('/change', async (request) => {
      request.session.set('a', 1)
      return Response.redirect('http://localhost/read', 303)
    })
    expect((await app.inject('/read')).headers).toMatchObject({ vary: 'Accept, Cookie' })
    const { statusCode, headers } = await app.inject('/change')
    expect(statusCode).toBe(303)
    expect(headers).toMatchObject({ vary: 'Cookie', 'cache-control': 'no-store' })
    expect([headers['set-cookie']].flat()).toHaveLength(1)
  })

  it('reaches the routes of the scope in which it is registered, and no others', async () => {
    const app = Fastify()
    apps.push(app)
    const scope: FastifyPluginAsync = async (inner) => {
      await inner.register(fastifySessions(memorySessions()))
      inner.get('/inner', async ({ session }) => session.entries())
    }
    await app.register(scope)
    expect((await app.inject('/inner')).json()).toEqual([])
    expect(app.hasRequestDecorator('session')).toBe(false)

    const open = await openApp(memorySessions())
    open.get('/outer', async ({ session }) => session.entries())
    expect((await open.inject('/outer')).json()).toEqual([])
  })

  it('answers in plain text when the save of a raw reply fails', async () => {
    const app = await openApp(unsavableSessions())
    app.get('/', (request, reply) => {
      request.session.set('a', 1)
      reply.hijack()
      reply.raw.end('changed')
    })
    const response = await app.inject('/')
    expect(response.statusCode).toBe(503)
    expect(response.body).toBe('The session could not be saved. Please try again later.')
  })

  it('serves HTTP/2, also past Fastify', async () => {
    const app = Fastify({ http2: true })
    await app.register(fastifySessions(memorySessions()))
    app.get('/change', async ({ session }, reply) => {
      session.set('a', 1)
      return reply.redirect('/read')
    })
    app.get('/read', async ({ session }) => session.entries())
    app.get('/raw', async ({ session }, reply) => {
      session.set('b', 2)
      reply.hijack()
      reply.raw.end(JSON.stringify(await session.entries()))
    })
    const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
    const ask = async (path: string, cookie = ''): Promise<{ cookie: string; body: string }> => {
      const stream = client.request({ ':path': path, cookie: ['theme=dark', cookie] })
      const [{ 'set-cookie': [line = ''] = [] }] = await once(stream, 'response')
      let body = ''
      for await (const chunk of stream.setEncoding('utf8')) body += chunk
      return { cookie: line.split(';')[0], body }
    }
    try {
      const { cookie } = await ask('/change')
      expect(cookie).toMatch(/^__Host-id=/)
      expect((await ask('/raw', cookie)).body).toBe('[["a",1],["b",2]]')
      expect((await ask('/read', cookie)).body).toBe('[["a",1],["b",2]]')
    } finally {
      client.close()
      await app.close()
    }
  })
})
