import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import connect from 'connect'
import { Elysia } from 'elysia'
import express from 'express'
import Fastify from 'fastify'
import { H3, toNodeHandler } from 'h3'
import { Hono } from 'hono'
import Koa from 'koa'
import type { Sessions } from 'pg-sessions'
import * as astro from 'pg-sessions/astro'
import * as elysia from 'pg-sessions/elysia'
import * as expressAdapter from 'pg-sessions/express'
import * as fastify from 'pg-sessions/fastify'
import * as fetchAdapter from 'pg-sessions/fetch'
import * as h3 from 'pg-sessions/h3'
import * as hono from 'pg-sessions/hono'
import * as koa from 'pg-sessions/koa'
import * as next from 'pg-sessions/next'
import * as node from 'pg-sessions/node'
import * as svelteKit from 'pg-sessions/sveltekit'
import { type RunningApplication, signedInAs } from 'pg-sessions/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { serve } from './listen.ts'
import { memorySessions } from './memory-sessions.ts'

/*
 * An application in each framework: all of it refuses other sites, and `/fresh` needs a sign-in of the last
 * five minutes. Next is called as Next calls its handlers; the other frameworks answer over HTTP.
 */

const ALLOW = ['https://admin.example.com']
const redirectTo = (path: string): string => `/login?next=${encodeURIComponent(path)}`

type Open = (sessions: Sessions) => Promise<RunningApplication>
type FetchHandler = (request: Request) => Response | Promise<Response>

/** Calls a handler of the Fetch standard over HTTP. */
const serveFetch = (handler: FetchHandler): Promise<RunningApplication> =>
  serve(getRequestListener(handler, { overrideGlobalObjects: false }))

const answer = (path: string): Response =>
  new Response(path.includes('/fresh') ? 'fresh' : 'done', { status: 200 })

const applications: readonly (readonly [string, Open])[] = [
  [
    'Express',
    (sessions) => {
      const app = express()
      app.set('env', 'test')
      app.use(
        expressAdapter.refuseCrossSite({ allow: ALLOW }),
        expressAdapter.expressSessions(sessions),
      )
      const router = express.Router()
      router.all('/', expressAdapter.requireFresh('5m', { redirectTo }), (_req, res) => {
        res.send('fresh')
      })
      app.use('/fresh', router)
      app.all('/done', (_req, res) => void res.send('done'))
      return serve(app)
    },
  ],
  [
    'Connect',
    (sessions) => {
      const withSessions = node.connectSessions(sessions)
      const app = connect()
        .use(node.refuseCrossSite({ allow: ALLOW }))
        .use(withSessions)
      app.use('/fresh', node.requireFresh(withSessions.of, '5m', { redirectTo }))
      app.use((request, response) => void response.end(request.originalUrl?.slice(1, 6)))
      app.use(((error, _request, response, _next) => {
        response.statusCode = Reflect.get(Object(error), 'statusCode') ?? 500
        response.end()
      }) as connect.ErrorHandleFunction)
      return serve(app)
    },
  ],
  [
    'Koa',
    (sessions) => {
      const fresh = koa.requireFresh('5m', { redirectTo })
      const app = new Koa()
        .use(koa.refuseCrossSite({ allow: ALLOW }))
        .use(koa.koaSessions(sessions))
      app.silent = true
      app.use((ctx, following) => (ctx.path === '/fresh' ? fresh(ctx, following) : following()))
      app.use((ctx) => {
        ctx.body = ctx.path.slice(1)
      })
      return serve(app.callback())
    },
  ],
  [
    'Fastify',
    async (sessions) => {
      const app = Fastify()
      app.addHook('onRequest', fastify.refuseCrossSite({ allow: ALLOW }))
      await app.register(fastify.fastifySessions(sessions))
      app.all('/fresh', { preHandler: fastify.requireFresh('5m', { redirectTo }) }, () => 'fresh')
      app.all('/done', () => 'done')
      const origin = await app.listen({ port: 0, host: '127.0.0.1' })
      return { origin, close: () => app.close() }
    },
  ],
  [
    'Hono',
    (sessions) => {
      const app = new Hono()
        .use(hono.refuseCrossSite({ allow: ALLOW }))
        .use(hono.honoSessions(sessions))
        .all('/fresh', hono.requireFresh('5m', { redirectTo }), (c) => c.text('fresh'))
        .all('/done', (c) => c.text('done'))
      return serveFetch(app.fetch)
    },
  ],
  [
    'h3',
    (sessions) => {
      const app = new H3({ silent: true })
        .use(h3.refuseCrossSite({ allow: ALLOW }))
        .register(h3.h3Sessions(sessions))
        .use('/fresh', h3.requireFresh('5m', { redirectTo }))
        .all('/fresh', () => 'fresh')
        .all('/done', () => 'done')
      return serve(toNodeHandler(app))
    },
  ],
  [
    'Elysia',
    (sessions) => {
      const app = new Elysia()
        .onBeforeHandle(elysia.refuseCrossSite({ allow: ALLOW }))
        .use(elysia.elysiaSessions(sessions))
        .all('/fresh', () => 'fresh', {
          beforeHandle: elysia.requireFresh('5m', { redirectTo }),
        })
        .all('/done', () => 'done')
      return serveFetch(app.handle)
    },
  ],
  [
    'Fetch',
    (sessions) => {
      const fresh = fetchAdapter.requireFresh('5m', () => new Response('fresh'), { redirectTo })
      const handler = fetchAdapter.refuseCrossSite(
        (request: Request, session: Parameters<typeof fresh>[1]) =>
          request.url.includes('/fresh') ? fresh(request, session) : new Response('done'),
        { allow: ALLOW },
      )
      return serveFetch(fetchAdapter.withSession(sessions, handler))
    },
  ],
  [
    'SvelteKit',
    (sessions) => {
      const first = svelteKit.refuseCrossSite({ allow: ALLOW })
      const withSessions = svelteKit.sveltekitSessions(sessions)
      const fresh = svelteKit.requireFresh('5m', { redirectTo })
      const resolve = ({ request }: { request: Request }): Response => answer(request.url)
      return serveFetch((request) => {
        const event = { request, locals: {}, cookies: { set() {} } }
        const guarded = (it: typeof event) =>
          request.url.includes('/fresh') ? fresh({ event: it, resolve }) : resolve(it)
        return first({ event, resolve: (it) => withSessions({ event: it, resolve: guarded }) })
      })
    },
  ],
  [
    'Astro',
    (sessions) => {
      const first = astro.refuseCrossSite({ allow: ALLOW })
      const withSessions = astro.astroSessions(sessions)
      const fresh = astro.requireFresh('5m', { redirectTo })
      return serveFetch((request) => {
        const context = { request, locals: {}, isPrerendered: false } as astro.AstroContext
        const page = async () => answer(request.url)
        const guarded = () => (request.url.includes('/fresh') ? fresh(context, page) : page())
        return first(context, () => withSessions(context, guarded))
      })
    },
  ],
  [
    'a Route Handler of Next',
    (sessions) => {
      const handler = fetchAdapter.withSession(sessions, (request, session) => {
        const fresh = next.requireFresh(
          async () => session,
          '5m',
          () => new Response('fresh'),
          {
            redirectTo,
          },
        )
        return request.url.includes('/fresh') ? fresh(request) : new Response('done')
      })
      return serveFetch(next.refuseCrossSite(handler, { allow: ALLOW }))
    },
  ],
]

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let running: RunningApplication | undefined
afterEach(() => running?.close())

async function ask(
  path: string,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<Answer> {
  const sent = httpRequest(new URL(path, running?.origin), { method, headers })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

describe.each(applications)('%s', (_, open) => {
  test('refuses what pages of other sites send, and nothing else', async () => {
    running = await open(memorySessions())
    const { origin } = running
    const own = new URL(origin).host
    const passing: Record<string, string>[] = [
      {},
      { 'sec-fetch-site': 'same-origin', origin: 'https://behind-a-proxy.example' },
      { 'sec-fetch-site': 'none' },
      { origin },
      { origin: origin.replace('http:', 'https:') },
      { 'sec-fetch-site': 'cross-site', origin: 'https://admin.example.com' },
      { origin: 'https://admin.example.com' },
    ]
    for (const headers of passing) {
      expect((await ask('/done', headers)).body, JSON.stringify(headers)).toBe('done')
    }
    const refused: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site', origin },
      { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' },
      { 'sec-fetch-site': 'odd' },
      { origin: 'null' },
      { origin: '' },
      { origin: 'https://evil.example' },
      { origin: `https://evil.example/${own}` },
      { origin: `https://${own}.evil.example` },
      { origin: 'https://admin.example.com.evil.example' },
    ]
    for (const headers of refused) {
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const { status, body } = await ask('/done', headers, method)
        expect(status, `${method} ${JSON.stringify(headers)}`).toBe(403)
        expect(body).not.toBe('done')
      }
      expect((await ask('/done', headers, 'GET')).body).toBe('done')
    }
  })

  test('lets a recent sign-in through, and sends the rest to sign in again', async () => {
    const sessions = memorySessions()
    running = await open(sessions)
    const recent = await signedInAs(sessions, 'ann')
    const old = await signedInAs(sessions, 'ann', {
      authenticatedAt: new Date(Date.now() - 6 * 60_000),
    })
    expect((await ask('/fresh', recent.headers)).body).toBe('fresh')
    expect((await ask('/done', old.headers)).body).toBe('done')
    for (const [headers, status] of [
      [{}, 401],
      [old.headers, 403],
    ] as const) {
      const api = await ask('/fresh?a=1', { ...headers, accept: 'application/json' })
      expect(api.status).toBe(status)
      expect(api.body).not.toBe('fresh')
      const script = { ...headers, accept: 'text/html', 'sec-fetch-mode': 'cors' }
      expect((await ask('/fresh', script)).status).toBe(status)
      for (const page of [{ accept: 'text/html' }, { 'sec-fetch-mode': 'navigate' }]) {
        const { status, headers: sent } = await ask('/fresh?a=1', { ...headers, ...page }, 'GET')
        expect([status, sent.location]).toEqual([303, '/login?next=%2Ffresh%3Fa%3D1'])
        expect(sent['cache-control']).toBe('no-store')
      }
    }
  })
})

test('gives redirectTo a path of this host only', async () => {
  const sessions = memorySessions()
  const fresh = fetchAdapter.requireFresh('5m', () => new Response(), {
    redirectTo: (path) => path,
  })
  const handler = fetchAdapter.withSession(sessions, fresh)
  const headers = { accept: 'text/html' }
  for (const path of ['//evil.example/a', '/\\evil.example/a', '///evil.example/a']) {
    const url = `http://localhost${path}`
    const request = new Request('http://localhost/', { headers })
    Object.defineProperty(request, 'url', { value: url })
    const { headers: sent } = await handler(request)
    expect(sent.get('location')).toBe('/evil.example/a')
  }
})

test('refuses wrong options when it is made, and a missing session when it is used', async () => {
  for (const allow of ['https://a.example', ['a.example'], ['https://a.example/'], [1]]) {
    expect(() => expressAdapter.refuseCrossSite({ allow: allow as string[] })).toThrow(/allow/)
  }
  expect(() => expressAdapter.requireFresh('5' as '5m')).toThrow(/such as '30m'/)
  expect(() => expressAdapter.requireFresh('5m', { redirectTo: 7 as never })).toThrow(/redirectTo/)
  expect(() => expressAdapter.requireFresh('5m', { redirect: '/' } as never)).toThrow(/redirectTo/)
  const app = express()
  app.set('env', 'test')
  app.use(expressAdapter.requireFresh('5m'), (_req, res) => void res.send('fresh'))
  running = await serve(app)
  expect((await ask('/')).status).toBe(500)
})
