import { once } from 'node:events'
import {
  type ClientRequest as Asking,
  createServer,
  type RequestListener,
  request,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Request as ExpressRequest } from 'express'
import Fastify, { type FastifyInstance } from 'fastify'
import { createSessions, MemoryStore, type Sessions } from 'pg-sessions'
import { adminPage, nodeAdminPage } from 'pg-sessions/admin'
import { expressSessions } from 'pg-sessions/express'
import { withSession } from 'pg-sessions/fetch'
import { signedInAs } from 'pg-sessions/testing'
import { afterEach, describe, expect, test } from 'vitest'

const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stops.push(async () => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function someSessions(): Sessions {
  return createSessions({ store: new MemoryStore(), log: false, cookie: { development: true } })
}

async function signIn(sessions: Sessions, userId: string): Promise<{ id: string; cookie: string }> {
  const { cookie } = await signedInAs(sessions, userId)
  const [session] = await sessions.listByUser(userId)
  return { id: session?.id ?? '', cookie }
}

/** Ends a session on the page at `url`, as a browser would; gives the status of the last answer. */
async function endOnPage(url: string, cookie: string, id: string): Promise<number> {
  const asked = await fetch(`${url}?end-session=${id}`, { headers: { cookie } })
  const text = await asked.text()
  const fields = text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)
  const key = asked.headers.getSetCookie().map((line) => line.split(';')[0])
  const done = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: [cookie, ...key].join('; '), origin: new URL(url).origin },
    body: new URLSearchParams(
      [...fields].map(([, name = '', value = '']): [string, string] => [name, value]),
    ),
  })
  return done.status
}

describe('the admin page in Express', () => {
  const mounts = { 'before a parser of forms': false, 'after a parser of forms': true }

  test.each(Object.entries(mounts))('mounted %s', async (_, isParsed) => {
    const sessions = someSessions()
    const app = express()
    app.use(expressSessions(sessions))
    if (isParsed) app.use(express.urlencoded())
    app.use(
      '/office/admin',
      nodeAdminPage(sessions, {
        authorize: async ({ session }: ExpressRequest) => {
          await session.load()
          return session.userId === 'olga' && session.userId
        },
      }),
    )
    const url = `${await listen(app)}/office/admin`
    const [olga, ann] = [await signIn(sessions, 'olga'), await signIn(sessions, 'ann')]
    expect((await fetch(url, { headers: { cookie: ann.cookie } })).status).toBe(403)
    expect((await fetch(url)).status).toBe(403)
    const page = await fetch(`${url}?by=user&q=ann`, { headers: { cookie: olga.cookie } })
    expect(await page.text()).toContain(ann.id)
    expect(await endOnPage(url, olga.cookie, ann.id)).toBe(303)
    expect(await sessions.listByUser('ann')).toEqual([])
  })

  test('a form too long for it is answered', async () => {
    const app = express().use(nodeAdminPage(someSessions(), { authorize: () => 'olga' }))
    const body = new URLSearchParams({ action: 'end-user', target: 'x'.repeat(200_000) })
    expect((await fetch(await listen(app), { method: 'POST', body })).status).toBe(400)
  })
})

test('the admin page on plain node:http ends no process, whatever arrives', async () => {
  const answers: Promise<void>[] = []
  const page = nodeAdminPage(someSessions(), { authorize: () => 'olga' })
  const url = await listen((request, response) => void answers.push(page(request, response)))
  const ask = (method: string, headers = {}): Asking => request(url, { method, headers })
  const [traced] = await once(ask('TRACE').end(), 'response')
  expect(traced.statusCode).toBe(405)
  const type = 'application/x-www-form-urlencoded'
  const cut = ask('POST', { 'content-type': type, 'content-length': 100 }).on('error', () => {})
  cut.write('action=')
  await expect.poll(() => answers.length).toBe(2)
  cut.destroy()
  expect(await Promise.all(answers)).toEqual([undefined, undefined])
})

test('the admin page in Fastify', async () => {
  const sessions = someSessions()
  const app: FastifyInstance = Fastify()
  stops.push(() => app.close())
  const admin = nodeAdminPage(sessions, { authorize: () => 'olga' })
  await app.register((scope, _options, ready) => {
    // The page reads its forms itself.
    scope.addContentTypeParser('application/x-www-form-urlencoded', (_request, _body, done) =>
      done(null),
    )
    scope.all('/admin', (request, reply) => {
      reply.hijack()
      return admin(request.raw, reply.raw)
    })
    ready()
  })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/admin`
  const { id } = await signIn(sessions, 'ann')
  expect(await endOnPage(url, '', id)).toBe(303)
  expect(await sessions.listByUser('ann')).toEqual([])
})

test('the admin page as a handler of Fetch is given the session of the request', async () => {
  const sessions = someSessions()
  const { cookie } = await signIn(sessions, 'olga')
  const handler = withSession(
    sessions,
    adminPage(sessions, {
      authorize: async (
        _request: Request,
        session: { load(): Promise<unknown>; userId: string | null },
      ) => {
        await session.load()
        return session.userId
      },
    }),
  )
  const answer = await handler(new Request('http://localhost/admin', { headers: { cookie } }))
  expect(await answer.text()).toContain('You are <strong>olga</strong>')
  expect((await handler(new Request('http://localhost/admin'))).status).toBe(403)
})
