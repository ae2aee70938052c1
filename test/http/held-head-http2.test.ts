import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import {
  connect,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as later } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { holdHead } from '../../src/http/held-head.ts'
import { addition, deferred } from './held-head-wire.ts'

/** Node's HTTP/2 responses do all that `ServerResponse` promises of what is used here. */
function asResponse(res: Http2ServerResponse): ServerResponse {
  return res as unknown as ServerResponse
}

type Handler = (res: ServerResponse) => unknown

async function ask(
  listener: (req: Http2ServerRequest, res: Http2ServerResponse) => unknown,
  method = 'GET',
): Promise<{ headers: IncomingHttpHeaders; trailers: unknown; body: string }> {
  const server = createServer((req, res) => void listener(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  try {
    const stream = client.request({ ':path': '/', ':method': method })
    let trailers: unknown
    stream.on('trailers', (received) => {
      trailers = { ...received }
    })
    const [headers] = await once(stream, 'response')
    let body = ''
    for await (const chunk of stream.setEncoding('utf8')) body += chunk
    return { headers, trailers, body }
  } finally {
    client.destroy()
    server.close()
  }
}

describe('over HTTP/2', () => {
  const warnings: string[] = []
  const note = (warning: Error): void => void warnings.push(warning.name)
  beforeAll(() => void process.on('warning', note))
  afterAll(() => {
    process.off('warning', note)
    // Node warns of the status message, which HTTP/2 has not.
    expect(warnings).not.toContain('UnsupportedWarning')
  })

  const handlers: readonly [string, Handler, string?][] = [
    ['end', (res) => res.end()],
    ['end(string)', (res) => res.end('hello')],
    [
      'writeHead, write, end',
      (res) => {
        res.writeHead(201, { 'X-A': '1', 'Set-Cookie': 'a=1' })
        res.write('one')
        res.end('two')
      },
    ],
    ['writeHead(list), end', (res) => res.writeHead(200, ['X-A', '1', 'X-B', '2']).end('x')],
    [
      'flushHeaders, write, end',
      (res) => {
        res.flushHeaders()
        res.write('one')
        res.end()
      },
    ],
    ['HEAD', (res) => res.end('hello'), 'HEAD'],
    ['304', (res) => res.writeHead(304, { ETag: '"e"' }).end()],
    [
      'trailers',
      (res) => {
        res.write('x')
        res.addTrailers({ 'X-Sum': '1' })
        res.end()
      },
    ],
    [
      'a status that is set after the head',
      (res) => {
        res.write('x')
        res.statusCode = 500
        res.end()
      },
    ],
    [
      'pipeline of 5 MB',
      (res) => pipeline(Readable.from(Array(5_000).fill('x'.repeat(1_000))), res),
    ],
  ]
  it.each(handlers)(
    'the response is the same but for what is added: %s',
    async (_name, handler, method) => {
      const unheld = await ask((_req, res) => void handler(asResponse(res)), method)
      const held = await ask((_req, res) => {
        holdHead(asResponse(res), { commit: () => later(20, addition), fail: () => res.destroy() })
        handler(asResponse(res))
      }, method)

      const cookies = [...(unheld.headers['set-cookie'] ?? []), ...addition.setCookies]
      expect(held).toEqual({
        ...unheld,
        headers: { ...unheld.headers, date: held.headers.date, 'set-cookie': cookies },
      })
    },
  )

  it.each(handlers)(
    'a failed save leaves the answer of fail alone: %s',
    async (_name, handler, method) => {
      const answer = await ask((_req, res) => {
        holdHead(asResponse(res), {
          commit: () => later(20).then(() => Promise.reject(new Error('away'))),
          fail: () => {
            expect(res.headersSent).toBe(false)
            res.statusCode = 503
            res.end('sorry')
          },
        })
        void Promise.resolve(handler(asResponse(res))).catch(() => {})
      }, method)
      expect(Object.keys(answer.headers)).toEqual([':status', 'date'])
      expect(answer.headers[':status']).toBe(503)
      expect(answer.body).toBe(method === 'HEAD' ? '' : 'sorry')
    },
  )

  it('the head looks sent while it is held, and drain comes after', async () => {
    const checked = deferred<void>()
    const { body } = await ask(async (_req, res) => {
      const save = deferred<typeof addition>()
      holdHead(asResponse(res), { commit: () => save.promise, fail: () => res.destroy() })
      try {
        expect(res.write(Buffer.alloc(100_000, 'x'))).toBe(false)
        expect(res.headersSent).toBe(true)
        expect(res.writableEnded).toBe(false)
        expect(() => res.setHeader('X-A', '1')).toThrow(/after they are sent/)
        expect(() => asResponse(res).write(5)).toThrow(TypeError)
        save.resolve(addition)
        await once(res, 'drain')
        checked.resolve()
      } catch (error) {
        checked.reject(error)
      }
      res.end('y')
    })
    await checked.promise
    expect(body).toHaveLength(100_001)
  })

  it('a client that resets the stream causes no error', async () => {
    const save = deferred<typeof addition>()
    const replayed = deferred<void>()
    const server = createServer((_req, res) => {
      holdHead(asResponse(res), {
        commit: () => save.promise,
        fail: () => replayed.reject('failed'),
      })
      res.write('x')
      res.on('close', async () => {
        save.resolve(addition)
        await new Promise(setImmediate)
        res.end('late')
        replayed.resolve()
      })
      stream.close()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const stream = client.request()
    await replayed.promise
    client.destroy()
    server.close()
  })
})
