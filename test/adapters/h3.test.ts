import { H3, HTTPError, HTTPResponse, redirect } from 'h3'
import { createSessions, MemoryStore, type Session } from 'pg-sessions'
import { h3Sessions } from 'pg-sessions/h3'
import { adapterContract } from 'pg-sessions/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { openH3Application } from './h3-application.ts'
import { memorySessions, unsavableSessions } from './memory-sessions.ts'

describe('h3Sessions', () => {
  adapterContract({ describe, it }, openH3Application, { raw: false })

  it("sends the cookie with h3's own error page, which takes no headers but errHeaders", async () => {
    const app = new H3({ silent: true })
      .register(h3Sessions(memorySessions()))
      .get('/', (event) => {
        event.context.session.set('a', 1)
        event.res.headers.set('X-Mine', '1')
        throw new HTTPError({ status: 422 })
      })
    const { status, headers } = await app.request('/')
    expect(status).toBe(422)
    expect(headers.get('x-mine')).toBeNull()
    expectNewCookie(headers)
  })

  it("sends the cookie with h3's own 404", async () => {
    const app = new H3({ silent: true })
      .register(h3Sessions(memorySessions()))
      .use((event) => event.context.session.set('a', 1))
    const { status, headers } = await app.request('/nowhere')
    expect(status).toBe(404)
    expectNewCookie(headers)
  })

  it('sends the cookie with a response of an error that is returned, not thrown', async () => {
    const app = new H3().register(h3Sessions(memorySessions())).get('/', (event) => {
      event.context.session.set('a', 1)
      return new Response('no', { status: 403 })
    })
    const { status, headers } = await app.request('/')
    expect(status).toBe(403)
    expectNewCookie(headers)
  })

  it('sends the cookie with every kind of redirect, also of responses that cannot be changed', async () => {
    const there = 'http://localhost/there'
    for (const answer of [() => redirect(there), () => Response.redirect(there, 302)]) {
      const app = new H3().register(h3Sessions(memorySessions())).get('/', (event) => {
        event.context.session.set('a', 1)
        return answer()
      })
      const { status, headers } = await app.request('/')
      expect([status, headers.get('location')]).toEqual([302, there])
      expectNewCookie(headers)
    }
  })

  it('adds nothing to a response that a module keeps for all of its requests', async () => {
    const shared = new Response(null, { status: 204, headers: { 'X-Mine': '1' } })
    const app = new H3().register(h3Sessions(memorySessions())).get('/:act', (event) => {
      if (event.context.params?.act === 'set') event.context.session.set('a', 1)
      return shared
    })
    expectNewCookie((await app.request('/set')).headers)
    expect([...(await app.request('/leave')).headers]).toEqual([['x-mine', '1']])
  })

  it('joins what the event and the answer say of Vary and of caches', async () => {
    const answers = [
      (headers: Record<string, string>) => new Response('mine', { headers }),
      (headers: Record<string, string>) => new HTTPResponse('mine', { headers }),
    ]
    for (const answer of answers) {
      const app = new H3().register(h3Sessions(memorySessions())).get('/', (event) => {
        event.context.session.set('a', 1)
        event.res.headers.append('Set-Cookie', 'theme=dark')
        return answer({ Vary: 'Accept', 'CDN-Cache-Control': 'max-age=9', 'Set-Cookie': 'lang=eo' })
      })
      const { headers } = await app.request('/')
      expect(headers.get('vary')).toBe('Accept, Cookie')
      expect(headers.get('cdn-cache-control')).toBeNull()
      expect(headers.getSetCookie()).toHaveLength(3)
    }
  })

  it('gives a failed save its status, and drops what the handler had said', async () => {
    const app = new H3({ silent: true })
      .use((event) => void event.res.headers.set('X-Outer', '1'))
      .register(h3Sessions(unsavableSessions()))
      .get('/', (event) => {
        event.context.session.set('a', 1)
        event.res.headers.set('X-Mine', '1')
        event.res.status = 201
        return 'changed'
      })
    const plain = await app.request('/')
    expect(plain.status).toBe(503)
    expect(await plain.text()).not.toContain('changed')
    expect(plain.headers.getSetCookie()).toEqual([])

    const sessions = h3Sessions(unsavableSessions())
    const paged = new H3({ silent: true, onError: (error) => `error page: ${error.status}` })
      .use((event) => void event.res.headers.set('X-Outer', '1'))
      .register(sessions)
      .get('/', (event) => {
        sessions.of(event).set('a', 1)
        event.res.headers.set('X-Mine', '1')
        return 'changed'
      })
    const page = await paged.request('/')
    expect(await page.text()).toBe('error page: 503')
    expect(page.headers.get('x-outer')).toBe('1')
    expect(page.headers.get('x-mine')).toBeNull()
    expect(page.headers.getSetCookie()).toEqual([])
  })

  it('saves for the routes of a mounted application as well', async () => {
    const routes = new H3().get('/visit', ({ context }) => {
      context.session.set('a', 1)
      return 'changed'
    })
    const app = new H3().register(h3Sessions(memorySessions())).mount('/inner', routes)
    expectNewCookie((await app.request('/inner/visit')).headers)
  })

  it('says what is missing when it is not registered', async () => {
    const { of } = h3Sessions(memorySessions())
    const app = new H3().get('/', (event) => {
      expect(() => of(event)).toThrow(/put h3Sessions\(sessions\) before/)
      return 'asked'
    })
    expect((await app.request('/')).status).toBe(200)
  })

  it('types the session by what createSessions was given', () => {
    interface Data {
      basket: string[]
    }
    const own = h3Sessions(createSessions<Data>({ store: new MemoryStore(), log: false }))
    new H3().register(own).get('/', (event) => {
      expectTypeOf(own.of(event)).toEqualTypeOf<Session<Data>>()
      expectTypeOf(event.context.session).toEqualTypeOf<Session>()
    })
  })
})

function expectNewCookie(headers: Headers): void {
  expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-id=[^;]+; /)])
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('vary')).toBe('Cookie')
}
