import { getRequestListener } from '@hono/node-server'
import { Elysia } from 'elysia'
import { createSessions, MemoryStore, type Session } from 'pg-sessions'
import { elysiaSessions } from 'pg-sessions/elysia'
import { adapterContract } from 'pg-sessions/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { elysiaApplication } from './elysia-application.ts'
import { serve } from './listen.ts'
import { memorySessions, unsavableSessions } from './memory-sessions.ts'

const there = 'http://localhost/there'

describe('elysiaSessions on Node', () => {
  adapterContract(
    { describe, it },
    (parts) =>
      serve(getRequestListener(elysiaApplication(parts).fetch, { overrideGlobalObjects: false })),
    { raw: false },
  )

  it("sends the cookie with Elysia's own error page and its 404, past which hooks do not run", async () => {
    const own = elysiaSessions(memorySessions())
    const app = new Elysia()
      .use(own)
      .onRequest(({ request }) => own.of({ request }).set('a', 1))
      .get('/throw', () => {
        throw new RangeError('thrown')
      })
    expectNewCookie(await ask(app, '/throw'), 500)
    expectNewCookie(await ask(app, '/nowhere'), 404)
  })

  it('sends the cookie with responses that cannot be changed', async () => {
    const app = new Elysia().use(elysiaSessions(memorySessions())).get('/', ({ session }) => {
      session.set('a', 1)
      return Response.redirect(there, 302)
    })
    const response = await ask(app)
    expect(response.headers.get('location')).toBe(there)
    expectNewCookie(response, 302)
  })

  it('adds nothing to a response that a module keeps for all of its requests', async () => {
    const shared = new Response(null, { status: 204, headers: { 'X-Mine': '1' } })
    const app = new Elysia().use(elysiaSessions(memorySessions())).get('/:act', (context) => {
      if (context.params.act === 'set') context.session.set('a', 1)
      return shared
    })
    const ask = (path: string): Promise<Response> =>
      app.handle(new Request(`http://localhost/${path}`))
    expect((await ask('set')).headers.getSetCookie()).toHaveLength(1)
    expect([...(await ask('leave')).headers]).toEqual([['x-mine', '1']])
  })

  it('gives a failed save its status, and drops what the handler had said', async () => {
    const app = new Elysia().use(elysiaSessions(unsavableSessions())).get('/', (context) => {
      context.session.set('a', 1)
      context.set.headers['x-mine'] = '1'
      context.set.status = 201
      context.cookie.theme?.set({ value: 'dark' })
      return 'changed'
    })
    const response = await ask(app)
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('changed')
    expect(response.headers.get('x-mine')).toBeNull()
    expect(response.headers.getSetCookie().join()).not.toContain('__Host-id')
  })

  it('answers by a short plain text when what was set before an error cannot be saved', async () => {
    const app = new Elysia().use(elysiaSessions(unsavableSessions())).get('/', ({ session }) => {
      session.set('a', 1)
      throw new RangeError('thrown')
    })
    const response = await ask(app)
    expect(response.status).toBe(503)
    expect(await response.text()).toBe('The session could not be saved. Please try again later.')
  })

  it('keeps both kinds of sessions of an application that another one uses', async () => {
    const own = elysiaSessions(memorySessions())
    const other = elysiaSessions(
      createSessions({ store: new MemoryStore(), cookie: { name: '__Host-other' }, log: false }),
    )
    const inner = new Elysia()
      .use(own)
      .use(other)
      .get('/', ({ request }) => {
        own.of({ request }).set('a', 1)
        other.of({ request }).set('b', 2)
        return 'changed'
      })
    const { headers } = await ask(new Elysia().use(new Elysia().use(inner)))
    expect(headers.getSetCookie()).toHaveLength(2)
  })

  it('says what is missing when it is not used', async () => {
    const { of } = elysiaSessions(memorySessions())
    const app = new Elysia().get('/', ({ request }) => {
      expect(() => of({ request })).toThrow(/put elysiaSessions\(sessions\) before/)
      return 'asked'
    })
    expect((await ask(app)).status).toBe(200)
  })

  it('types the session by what createSessions was given', () => {
    interface Data {
      basket: string[]
    }
    const own = elysiaSessions(createSessions<Data>({ store: new MemoryStore(), log: false }))
    new Elysia().use(own).get('/', ({ session, request }) => {
      expectTypeOf(session).toEqualTypeOf<Session<Data>>()
      expectTypeOf(own.of({ request })).toEqualTypeOf<Session<Data>>()
    })
  })
})

function ask(app: Pick<Elysia, 'handle'>, path: string = '/'): Promise<Response> {
  return app.handle(new Request(new URL(path, 'http://localhost')))
}

function expectNewCookie({ headers, status }: Response, expected: number): void {
  expect(status).toBe(expected)
  expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-id=[^;]+; /)])
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('vary')).toBe('Cookie')
}
