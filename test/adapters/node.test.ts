import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session } from 'pg-sessions'
import { connectSessions, nodeSessions } from 'pg-sessions/node'
import { adapterContract } from 'pg-sessions/testing'
import { describe, expect, it } from 'vitest'
import { askOnce } from './listen.ts'
import { memorySessions, unsavableSessions } from './memory-sessions.ts'
import { openNodeApplication } from './node-application.ts'

describe('nodeSessions', () => {
  adapterContract({ describe, it }, openNodeApplication, { property: false })

  it('answers a failed save in plain text when no other code does', async () => {
    const sessionOf = nodeSessions(unsavableSessions())
    const { response, text } = await askOnce((request, response) => {
      sessionOf(request, response).set('a', 1)
      response.setHeader('X-Mine', '1')
      response.end('changed')
    })
    expect(response.status).toBe(503)
    expect(text).toBe('The session could not be saved. Please try again later.')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('x-mine')).toBeNull()
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('lays nothing over the response of a session that is only read, but for its Vary', async () => {
    const sessionOf = nodeSessions(memorySessions())
    const { text } = await askOnce(async (request, response) => {
      const before = Reflect.ownKeys(response)
      const session = sessionOf(request, response)
      expect(Reflect.ownKeys(response)).toEqual(before)
      await session.entries()
      const laid = Reflect.ownKeys(response).filter((name) => !before.includes(name))
      expect(laid).toEqual(['writeHead'])
      response.end('read')
    })
    expect(text).toBe('read')
  })

  const heads: readonly [string, (response: ServerResponse) => unknown, string][] = [
    ['no field', (response) => response, 'Cookie'],
    ['setHeader', (response) => response.setHeader('Vary', 'Accept'), 'Accept, Cookie'],
    ['writeHead', (response) => response.writeHead(201, { vary: 'Accept' }), 'Accept, Cookie'],
    [
      'writeHead with a message',
      (response) => response.writeHead(201, 'Made', { VARY: 'Accept' }),
      'Accept, Cookie',
    ],
    [
      'writeHead with a list',
      (response) => response.writeHead(201, ['Vary', 'Accept', 'Vary', 'Origin']),
      'Accept, Origin, Cookie',
    ],
    [
      'writeHead beside setHeader',
      (response) => response.setHeader('Vary', 'Accept').writeHead(201, { 'X-A': '1' }),
      'Accept, Cookie',
    ],
    ['a star', (response) => response.setHeader('Vary', '*'), '*'],
  ]
  it.each(heads)('names Cookie in Vary beside what a reader says: %s', async (_name, say, vary) => {
    const sessionOf = nodeSessions(memorySessions())
    const { response } = await askOnce(async (request, response) => {
      await sessionOf(request, response).entries()
      say(response)
      response.end('read')
    })
    expect(response.headers.get('vary')).toBe(vary)
  })

  it('lets a second writeHead throw what Node throws', async () => {
    const sessionOf = nodeSessions(memorySessions())
    const { text } = await askOnce(async (request, response) => {
      await sessionOf(request, response).entries()
      response.writeHead(200)
      try {
        response.writeHead(500, { Vary: 'Accept' })
      } catch (error) {
        response.end((error as Error).message)
      }
    })
    expect(text).toBe('Cannot write headers after they are sent to the client')
  })

  it('names Cookie in Vary where other code has wrapped writeHead', async () => {
    const sessionOf = nodeSessions(memorySessions())
    const { response } = await askOnce(async (request, response) => {
      const { writeHead } = response
      response.writeHead = (...args: unknown[]) => {
        response.setHeader('X-Wrapped', '1')
        return Reflect.apply(writeHead, response, args)
      }
      await sessionOf(request, response).entries()
      response.end('read')
    })
    expect(response.headers.get('x-wrapped')).toBe('1')
    expect(response.headers.get('vary')).toBe('Cookie')
  })

  describe('a method that was looked up before the session changed', () => {
    type Answer = (response: ServerResponse, use: () => Promise<string>) => Promise<unknown>
    const answers: readonly [string, Answer][] = [
      ['end', async (response, use) => response.end(await use())],
      ['end with an encoding', async (response, use) => response.end(await use(), 'utf8')],
      [
        'end after a head',
        async (response, use) => response.setHeader('X-A', '1').end(await use()),
      ],
      [
        'write, and then end',
        async (response, use) => {
          response.write(await use())
          response.end()
        },
      ],
      [
        'write of bytes, and then end',
        async (response, use) => {
          response.write(await use().then(Buffer.from))
          response.end()
        },
      ],
    ]

    const visit =
      (
        sessionOf: (request: IncomingMessage, response: ServerResponse) => Session,
        answer: Answer,
      ) =>
      async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        await answer(response, async () => {
          await Promise.resolve()
          sessionOf(request, response).set('a', 1)
          return 'changed'
        })
      }

    for (const [name, answer] of answers) {
      it(`${name}: sends the body whole, after the cookie`, async () => {
        const { response, text } = await askOnce(visit(nodeSessions(memorySessions()), answer))
        expect(response.status).toBe(200)
        expect(response.headers.getSetCookie()).toHaveLength(1)
        expect(text).toBe('changed')
      })

      it(`${name}: sends nothing of the body when the save fails`, async () => {
        const { response, text } = await askOnce(visit(nodeSessions(unsavableSessions()), answer))
        expect(response.status).toBe(503)
        expect(text).not.toContain('changed')
      })

      it(`${name}: answers HEAD`, async () => {
        const listener = visit(nodeSessions(memorySessions()), answer)
        const { response, text } = await askOnce(listener, '/', { method: 'HEAD' })
        expect(response.headers.getSetCookie()).toHaveLength(1)
        expect(text).toBe('')
      })
    }

    it('calls back once the response is out', async () => {
      const sessionOf = nodeSessions(memorySessions())
      let finished = 0
      await askOnce((request, response) => {
        const { end } = response
        sessionOf(request, response).set('a', 1)
        Reflect.apply(end, response, [
          'changed',
          () => {
            finished += 1
          },
        ])
        expect(finished).toBe(0)
      })
      expect(finished).toBe(1)
    })
  })
})

describe('connectSessions', () => {
  it('says what is missing when a request never went through it', async () => {
    const { of } = connectSessions(memorySessions())
    await askOnce((request, response) => {
      expect(() => of(request)).toThrow(/put connectSessions\(sessions\) before/)
      response.end()
    })
  })
})
