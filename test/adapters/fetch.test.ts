import type { Session } from 'pg-sessions'
import { withSession } from 'pg-sessions/fetch'
import { adapterContract } from 'pg-sessions/testing'
import { describe, expect, it } from 'vitest'
import { openFetchApplication } from './fetch-application.ts'
import { memorySessions, unsavableSessions } from './memory-sessions.ts'

const request = new Request('http://localhost/')

describe('withSession', () => {
  adapterContract({ describe, it }, openFetchApplication, { raw: false, property: false })

  it('passes on what a handler throws, and saves nothing, without an error page', async () => {
    const sessions = memorySessions()
    const handler = withSession(sessions, (_request, session) => {
      session.set('a', 1)
      throw new RangeError('thrown')
    })
    await expect(handler(request)).rejects.toThrow('thrown')
    expect(await sessions.count()).toMatchObject({ live: 0 })
  })

  it('refuses a handler that returns no response, and saves nothing', async () => {
    const sessions = memorySessions()
    const handler = withSession(sessions, ((_request: Request, session: Session) => {
      session.set('a', 1)
    }) as never)
    await expect(handler(request)).rejects.toThrow(/returned nothing instead of a Response/)
    expect(await sessions.count()).toMatchObject({ live: 0 })
  })

  it('passes nothing on for a request that has become a WebSocket, as in Bun', async () => {
    const handler = withSession(memorySessions(), (async (_request: Request, session: Session) => {
      await session.load()
    }) as never)
    const upgrade = new Request('http://localhost/', { headers: { upgrade: 'websocket' } })
    expect(await handler(upgrade)).toBeUndefined()
  })

  it('answers a failed save in plain text without an error page', async () => {
    const handler = withSession(unsavableSessions(), (_request, session) => {
      session.set('a', 1)
      return new Response('changed')
    })
    const response = await handler(request)
    expect(response.status).toBe(503)
    expect(response.headers.get('vary')).toBe('Cookie')
    expect(await response.text()).toBe('The session could not be saved. Please try again later.')
  })

  it('saves what the error page sets for a visitor whose first save failed', async () => {
    const sessions = unsavableSessions(1)
    const handler = withSession(
      sessions,
      (_request, session) => {
        session.set('a', 1)
        return new Response('changed')
      },
      {
        onError(_error, _request, session) {
          session.set('notice', 'sorry')
          return new Response('error page', { status: 503 })
        },
      },
    )
    const response = await handler(request)
    expect([response.status, await response.text()]).toEqual([503, 'error page'])
    const [cookie = ''] = response.headers.getSetCookie()
    const { session } = sessions.open(cookie.split(';')[0])
    expect(await session.entries()).toEqual([['notice', 'sorry']])
  })

  it('adds nothing to a response that a module keeps for all of its requests', async () => {
    const shared = new Response(null, { status: 404, headers: { 'x-mine': '1' } })
    const handler = withSession(memorySessions(), ({ url }, session) => {
      if (url.endsWith('/set')) session.set('a', 1)
      return shared
    })
    const first = await handler(new Request('http://localhost/set'))
    const second = await handler(request)
    expect([first.status, first.headers.get('x-mine')]).toEqual([404, '1'])
    expect(first.headers.getSetCookie()).toHaveLength(1)
    expect([...second.headers]).toEqual([['x-mine', '1']])
  })

  it.each(['GET', 'HEAD'])(
    'gives a page that a module keeps to two visitors by %s, and each their own cookie',
    async (method) => {
      const page = new Response('page')
      const handler = withSession(memorySessions(), (_request, session) => {
        session.set('a', 1)
        return page
      })
      const ask = (): Promise<Response> => handler(new Request('http://localhost/', { method }))
      const [ann, bob] = [await ask(), await ask()]
      const [anns, bobs] = [ann.headers.getSetCookie(), bob.headers.getSetCookie()]
      expect([anns.length, bobs.length]).toEqual([1, 1])
      expect(anns).not.toEqual(bobs)
      expect(page.headers.getSetCookie()).toEqual([])
      expect(await bob.text()).toBe('page')
    },
  )

  it('answers HEAD by a page that a module keeps, though an earlier answer has cancelled its body', async () => {
    const page = new Response('page')
    await page.body?.cancel()
    const handler = withSession(memorySessions(), (_request, session) => {
      session.set('a', 1)
      return page
    })
    const answer = await handler(new Request('http://localhost/', { method: 'HEAD' }))
    expect([answer.status, answer.headers.getSetCookie().length]).toEqual([200, 1])
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
  })

  it('says so when the body of a response was read already', async () => {
    const page = new Response('page')
    await page.text()
    const handler = withSession(
      memorySessions(),
      (_request, session) => {
        session.set('a', 1)
        return page
      },
      { onError: (error) => new Response(String(error), { status: 500 }) },
    )
    const response = await handler(request)
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.stringContaining('Make a new Response for each request'),
    ])
  })

  it('adds nothing to headers that responses of a server have in common', async () => {
    const shared = new Headers({ 'content-type': 'text/css' })
    class ServersResponse extends Response {
      override readonly headers: Headers = shared
    }
    const handler = withSession(memorySessions(), ({ url }, session) => {
      if (url.endsWith('/set')) session.set('a', 1)
      return new ServersResponse('b {}', { status: 201, statusText: 'Made' })
    })
    const first = await handler(new Request('http://localhost/set'))
    expect([first.status, first.statusText, await first.text()]).toEqual([201, 'Made', 'b {}'])
    expect(first.headers.get('content-type')).toBe('text/css')
    expect(first.headers.getSetCookie()).toHaveLength(1)
    expect([...(await handler(request)).headers]).toEqual([['content-type', 'text/css']])
  })

  it('sends a response with a body as it is, and a copy where its headers cannot be changed', async () => {
    const own = new Response('own')
    const answers = [own, Response.redirect('http://localhost/there', 303)]
    const handler = withSession(memorySessions(), async (_request, session) => {
      await session.load()
      return answers.shift() ?? Response.error()
    })
    expect(await handler(request)).toBe(own)
    const redirect = await handler(request)
    expect([redirect.status, redirect.headers.get('vary')]).toEqual([303, 'Cookie'])
    expect((await handler(request)).type).toBe('error')
  })

  it('lets go of a body that is not sent, whatever its source says', async () => {
    let reason: unknown = 'not cancelled'
    const body = new ReadableStream({
      cancel(cause) {
        reason = cause
        throw new RangeError('will not stop')
      },
    })
    const handler = withSession(unsavableSessions(), (_request, session) => {
      session.set('a', 1)
      return new Response(body)
    })
    expect((await handler(request)).status).toBe(503)
    expect(reason).toBeUndefined()
  })

  it('still answers when another reader has locked the body that is not sent', async () => {
    const handler = withSession(unsavableSessions(), (_request, session) => {
      session.set('a', 1)
      const response = new Response('changed')
      response.body?.getReader()
      return response
    })
    expect((await handler(request)).status).toBe(503)
  })

  it('leaves a network error as it is', async () => {
    const error = Response.error()
    const handler = withSession(memorySessions(), async (_request, session) => {
      await session.entries()
      return error
    })
    expect(await handler(request)).toBe(error)
  })

  it('gives back the very response when nothing joins it', async () => {
    const response = new Response('untouched')
    const handler = withSession(memorySessions(), () => response)
    expect(await handler(request)).toBe(response)
  })

  it('hands on what the server passes after the request', async () => {
    const handler = withSession(
      memorySessions(),
      (_request, _session, info: { ip: string }) => new Response(info.ip),
    )
    expect(await (await handler(request, { ip: '::1' })).text()).toBe('::1')
  })
})
