import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { createSessions, MemoryStore, type Session } from 'pg-sessions'
import { honoSessions, type SessionEnv } from 'pg-sessions/hono'
import { adapterContract } from 'pg-sessions/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { openHonoApplication } from './hono-application.ts'
import { serve } from './listen.ts'
import { memorySessions, unsavableSessions } from './memory-sessions.ts'

describe('honoSessions', () => {
  adapterContract({ describe, it }, openHonoApplication, { raw: false })

  it('answers a failed save with its status when the application has no error page', async () => {
    const app = new Hono().use(honoSessions(unsavableSessions())).get('/', (c) => {
      c.var.session.set('a', 1)
      return c.text('changed')
    })
    const response = await app.request('/')
    expect(response.status).toBe(503)
    expect(await response.text()).toBe('The session could not be saved. Please try again later.')
    expect(response.headers.get('vary')).toBe('Cookie')
  })

  it('leaves an error page the headers of outer middleware, and none of the handler', async () => {
    const app = new Hono()
      .use(cors({ origin: 'https://example.com' }), honoSessions(unsavableSessions()))
      .get('/', (c) => {
        c.var.session.set('a', 1)
        c.header('X-Mine', '1')
        c.header('Set-Cookie', 'theme=dark')
        return c.text('changed')
      })
    app.onError((_error, c) => {
      c.header('X-Page', '1')
      return c.text('error page', 503)
    })
    const origin = { Origin: 'https://example.com' }
    const { headers, status } = await app.request('/', { headers: origin })
    expect(status).toBe(503)
    expect(headers.get('access-control-allow-origin')).toBe('https://example.com')
    expect(headers.get('x-page')).toBe('1')
    expect(headers.get('x-mine')).toBeNull()
    expect(headers.getSetCookie()).toEqual([])
  })

  it('adds nothing to a response that a module keeps for all of its requests', async () => {
    const shared = new Response(null, { status: 204, headers: { 'X-Mine': '1' } })
    const app = new Hono().use(honoSessions(memorySessions())).get('/:act', (c) => {
      if (c.req.param('act') === 'set') c.var.session.set('a', 1)
      return shared
    })
    expect((await app.request('/set')).headers.getSetCookie()).toHaveLength(1)
    expect([...(await app.request('/leave')).headers]).toEqual([['x-mine', '1']])
  })

  it('keeps Content-Length on Node when a page reads its session, and when it changes it', async () => {
    const app = new Hono().use(honoSessions(memorySessions())).get('/:act', async (c) => {
      if (c.req.param('act') === 'set') c.var.session.set('a', 1)
      return c.text(`there ${await c.var.session.get('b')}`)
    })
    const { Request, Response } = globalThis
    const running = await serve(getRequestListener(app.fetch))
    try {
      for (const act of ['read', 'set']) {
        const { headers } = await fetch(`${running.origin}/${act}`)
        expect([act, headers.get('content-length')]).toEqual([act, '15'])
        expect(headers.get('vary')).toBe('Cookie')
      }
    } finally {
      Object.assign(globalThis, { Request, Response })
      await running.close()
    }
  })

  it('keeps its cookie in a 304 that etag() before it makes of a page', async () => {
    const app = new Hono().use(etag(), honoSessions(memorySessions())).get('/', (c) => {
      c.var.session.set('a', 1)
      return c.text('page')
    })
    const tag = (await app.request('/')).headers.get('etag') ?? ''
    const { status, headers } = await app.request('/', { headers: { 'If-None-Match': tag } })
    expect([status, headers.getSetCookie().length]).toEqual([304, 1])
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('says what is missing when a request never went through it', async () => {
    const { of } = honoSessions(memorySessions())
    const app = new Hono().get('/', (c) => {
      expect(() => of(c)).toThrow(/put honoSessions\(sessions\) before/)
      return c.text('asked')
    })
    expect((await app.request('/')).status).toBe(200)
  })

  it('types the session by what createSessions was given', () => {
    interface Data {
      basket: string[]
    }
    const sessions = createSessions<Data>({ store: new MemoryStore(), log: false })
    new Hono().use(honoSessions(sessions)).get('/', (c) => {
      expectTypeOf(c.var.session).toEqualTypeOf<Session<Data>>()
      return c.text('')
    })
    new Hono<SessionEnv<Data>>().get('/', (c) => {
      expectTypeOf(c.var.session).toEqualTypeOf<Session<Data>>()
      return c.text('')
    })
  })
})
