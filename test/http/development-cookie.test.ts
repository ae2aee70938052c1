import { once } from 'node:events'
import { get, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createSessions, MemoryStore } from 'pg-sessions'
import { withSession } from 'pg-sessions/fetch'
import { nodeSessions } from 'pg-sessions/node'
import { describe, expect, it } from 'vitest'
import { resolveCookie } from '../../src/cookie/cookie-settings.ts'
import { refuseOutsideDevelopment } from '../../src/http/development-cookie.ts'
import { serve } from '../adapters/listen.ts'

const LOCAL = [
  'localhost',
  'localhost:3000',
  'shop.localhost:3000',
  '127.0.0.1:80',
  '[::1]:3000',
  '192.168.1.5:3000',
  '10.1.2.3',
  '172.16.0.1',
  '[fe80::1]:3000',
  'web:3000',
  'printer.local',
]
const PUBLIC = [
  'shop.example',
  'shop.example:3000',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '10.evil.example',
  '172.32.0.1',
  '8.8.8.8',
  '[2001:db8::1]:3000',
]

describe('the cookie of development', () => {
  const plain = { isPlain: true, isHttps: false }
  const refuse = (host: string, target = plain, development: boolean | string = true) => {
    refuseOutsideDevelopment(resolveCookie({ development }), { host, ...target })
  }

  it.each(LOCAL)('is for plain http on %s', (host) => {
    expect(() => refuse(host)).not.toThrow()
    expect(() => refuse(host, plain, 'shop')).not.toThrow()
  })

  it.each(PUBLIC)('is refused on %s', (host) => {
    expect(() => refuse(host)).toThrow(/NODE_ENV === 'development'.* write secure: false/)
    expect(() => refuse(host, plain, 'shop')).toThrow('came to a public host')
    expect(() => refuse(host, plain, false)).not.toThrow()
  })

  it('is refused over https, wherever that ends', () => {
    const https = { isPlain: false, isHttps: true }
    expect(() => refuse('localhost:3000', https)).toThrow('where a Secure cookie arrives')
  })
})

/** A container in which NODE_ENV is not what the code expects. */
const misconfigured = () =>
  createSessions({
    store: new MemoryStore(),
    cookie: { development: process.env.NODE_ENV !== 'production' },
    log: false,
  })

describe('an application that takes production for development', () => {
  async function ask(headers: IncomingHttpHeaders): Promise<{ status: number; cookies: unknown }> {
    const sessionOf = nodeSessions(misconfigured())
    const { origin, close } = await serve((request, response) => {
      try {
        sessionOf(request, response).set('a', 1)
        response.end()
      } catch (error) {
        response.writeHead(500).end(String(error))
      }
    })
    const answer = await new Promise<{ status: number; cookies: unknown }>((resolve, reject) => {
      get(origin, { headers }, (got) => {
        const { statusCode: status = 0, headers: received } = got
        got.resume().on('end', () => resolve({ status, cookies: received['set-cookie'] }))
      }).on('error', reject)
    })
    await close()
    return answer
  }

  it('fails at its first request on Node, and sends no cookie', async () => {
    expect(await ask({ host: 'localhost:3000' })).toMatchObject({ status: 200 })
    for (const headers of [
      { host: 'shop.example' },
      { host: '127.0.0.1:3000', 'x-forwarded-proto': 'https' },
      { host: 'web:3000', forwarded: 'for=192.0.2.1;proto=https' },
    ]) {
      expect(await ask(headers)).toEqual({ status: 500, cookies: undefined })
    }
  })

  it('fails at its first request with Fetch, and sends no cookie', async () => {
    const handle = withSession(misconfigured(), (_request, session) => {
      session.set('a', 1)
      return new Response()
    })
    const local = await handle(new Request('http://localhost:3000/'))
    expect(local.headers.getSetCookie()).toHaveLength(1)
    for (const url of ['http://shop.example/', 'https://localhost/']) {
      await expect(handle(new Request(url))).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' })
    }
  })
})

it('is refused on a public host over HTTP/2, which names the host in another field', async () => {
  const sessionOf = nodeSessions(misconfigured())
  const server = createServer((request, response) => {
    try {
      sessionOf(request as never, response as never).set('a', 1)
      response.end('set')
    } catch (error) {
      response.end(String(error))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const ask = (authority: string) => text(client.request({ ':authority': authority }))
  expect(await ask('shop.example')).toContain('came to a public host')
  expect(await ask('localhost:3000')).toBe('set')
  client.destroy()
  server.close()
})
