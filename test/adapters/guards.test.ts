import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import type { Sessions } from 'pg-sessions'
import * as astro from 'pg-sessions/astro'
import * as expressAdapter from 'pg-sessions/express'
import * as fetchAdapter from 'pg-sessions/fetch'
import * as next from 'pg-sessions/next'
import * as svelteKit from 'pg-sessions/sveltekit'
import { type RunningApplication, signedInAs } from 'pg-sessions/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { askOnce, serve } from './listen.ts'
import { memorySessions } from './memory-sessions.ts'

/*
 * The adapter contract tries the guards of every framework. Those of frameworks that are too large to install
 * are called here as their framework would call them.
 */

const ALLOW = ['https://admin.example.com']
const redirectTo = (path: string): string => `/login?next=${encodeURIComponent(path)}`

type Open = (sessions: Sessions) => Promise<RunningApplication>
type FetchHandler = (request: Request) => Response | Promise<Response>

/** Calls a handler of the Fetch standard over HTTP. */
const serveFetch = (handler: FetchHandler): Promise<RunningApplication> =>
  serve(getRequestListener(handler, { overrideGlobalObjects: false }))

const answer = (path: string): Response =>
  new Response(/fresh|elevated/.exec(path)?.[0] ?? 'done', { status: 200 })

const applications: readonly (readonly [string, Open])[] = [
  [
    'SvelteKit',
    (sessions) => {
      const first = svelteKit.refuseCrossSite({ allow: ALLOW })
      const withSessions = svelteKit.sveltekitSessions(sessions)
      const fresh = svelteKit.requireFresh('5m', { redirectTo })
      const elevated = svelteKit.requireElevated('10m', { redirectTo })
      const resolve = ({ request }: { request: Request }): Response => answer(request.url)
      return serveFetch((request) => {
        const event = { request, locals: {}, cookies: { set() {} } }
        const guarded = (it: typeof event) => {
          if (request.url.includes('/elevated')) return elevated({ event: it, resolve })
          return request.url.includes('/fresh') ? fresh({ event: it, resolve }) : resolve(it)
        }
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
      const elevated = astro.requireElevated('10m', { redirectTo })
      return serveFetch((request) => {
        const context = { request, locals: {}, isPrerendered: false } as astro.AstroContext
        const page = async () => answer(request.url)
        const guarded = () => {
          if (request.url.includes('/elevated')) return elevated(context, page)
          return request.url.includes('/fresh') ? fresh(context, page) : page()
        }
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
        const elevated = next.requireElevated(
          async () => session,
          '10m',
          () => new Response('elevated'),
          { redirectTo },
        )
        if (request.url.includes('/elevated')) return elevated(request)
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

  test('lets one who proved a second factor lately through, and sends the rest to prove it', async () => {
    const sessions = memorySessions()
    running = await open(sessions)
    const { cookie, headers } = await signedInAs(sessions, 'ann')
    expect((await ask('/elevated', headers)).status).toBe(403)
    const { status, headers: sent } = await ask(
      '/elevated',
      { ...headers, accept: 'text/html' },
      'GET',
    )
    expect([status, sent.location]).toEqual([303, '/login?next=%2Felevated'])
    expect((await ask('/elevated')).status).toBe(401)
    const exchange = sessions.open(cookie)
    await exchange.session.elevate({ factor: 'totp' })
    const { setCookies } = await exchange.commit()
    const elevated = { cookie: setCookies[0]?.split(';')[0] ?? '' }
    expect((await ask('/elevated', elevated)).body).toBe('elevated')
    expect((await ask('/elevated', headers)).status).toBe(401)
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

test('redirects to what a header can hold, and never after another answer', async () => {
  const redirectTo = (path: string): string => `/login?next=${path}\r\nSet-Cookie: a=€\ud800`
  const guard = expressAdapter.requireFresh('5m', { redirectTo })
  const ask = (app: express.Express) => askOnce(app, '/é', { headers: { accept: 'text/html' } })
  const app = express().use(expressAdapter.expressSessions(memorySessions()))
  // As a browser, whose navigation `fetch` cannot send.
  app.use((req, _res, next) => {
    delete req.headers['sec-fetch-mode']
    next()
  })
  const { response } = await ask(express().use(app, guard))
  const location = '/login?next=/%C3%A9%0D%0ASet-Cookie:%20a=%E2%82%AC%EF%BF%BD'
  expect(response.headers.get('location')).toBe(location)
  app.use((_req, res, next) => {
    res.send('answered')
    next()
  })
  expect((await ask(express().use(app, guard))).text).toBe('answered')
})

test('refuses wrong options when it is made, and a missing session when it is used', async () => {
  for (const allow of [
    'https://a.example',
    ['a.example'],
    ['https://a.example/'],
    ['https://*.a.example'],
    [1],
  ]) {
    expect(() => expressAdapter.refuseCrossSite({ allow: allow as string[] })).toThrow(/allow/)
  }
  expect(() => expressAdapter.requireFresh('5' as '5m')).toThrow(/such as '30m'/)
  expect(() => expressAdapter.requireElevated('5' as '5m')).toThrow(/such as '30m'/)
  expect(() => expressAdapter.requireFresh('5m', { redirectTo: 7 as never })).toThrow(/redirectTo/)
  expect(() => expressAdapter.requireFresh('5m', { redirect: '/' } as never)).toThrow(/redirectTo/)
  const app = express()
  app.set('env', 'test')
  app.use(expressAdapter.requireFresh('5m'), (_req, res) => void res.send('fresh'))
  running = await serve(app)
  expect((await ask('/')).status).toBe(500)
})
