import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as later } from 'node:timers/promises'
import express, { type NextFunction, type Request, type Response } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HoldOptions, holdHead } from '../../src/http/held-head.ts'
import { addition, ask, comparable, get, request } from './held-head-wire.ts'

const SAVES: Record<string, Pick<HoldOptions, 'commit' | 'commitNow'>> = {
  'a save that is done at once': { commit: async () => addition },
  'a save that takes 200 ms': { commit: () => later(200, addition) },
  'nothing left to save': { commit: () => unexpected(undefined), commitNow: () => addition },
}
const BIG = Buffer.alloc(5_000_000, 'The quick brown fox jumps over the lazy dog. ')
let folder: string
let bigFile: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'held-head-'))
  bigFile = join(folder, 'big.txt')
  await writeFile(bigFile, BIG)
})
afterAll(() => rm(folder, { recursive: true }))

function unexpected(error: unknown): never {
  throw error
}

type Handler = (res: ServerResponse, req: IncomingMessage) => unknown
const HEAD = request('HEAD', '/')
const HTTP_1_0 = 'GET / HTTP/1.0\r\n\r\n'
const KEPT_1_0 = 'GET / HTTP/1.0\r\nConnection: close\r\nTE: chunked\r\n\r\n'

const HANDLERS: readonly [name: string, handler: Handler, text?: string][] = [
  ['end()', (res) => res.end()],
  ["end('')", (res) => res.end('')],
  ['end(string)', (res) => res.end('hellö')],
  ['end(string, encoding)', (res) => res.end('6869', 'hex')],
  ['end(bytes)', (res) => res.end(new Uint8Array([104, 105]))],
  ['end(callback)', (res) => res.end(() => {})],
  ['end(string, callback)', (res) => res.end('x', () => {})],
  ['setHeader, end', (res) => res.setHeader('X-A', ['1', '2']).setHeader('ETag', '"e"').end('x')],
  [
    'statusCode, statusMessage, end',
    (res) => Object.assign(res, { statusCode: 418, statusMessage: 'Short' }).end('x'),
  ],
  ['writeHead(status), end', (res) => res.writeHead(201).end('x')],
  ['writeHead(status, message), end', (res) => res.writeHead(200, 'Fine').end('x')],
  [
    'writeHead(status, object), end',
    (res) => res.writeHead(200, { 'X-A': 1, 'X-B': ['2', '3'] }).end('x'),
  ],
  [
    'writeHead(status, message, object), end',
    (res) => res.writeHead(404, 'Gone fishing', { 'X-A': '1' }).end(),
  ],
  [
    'writeHead(status, flat list), end',
    (res) => res.writeHead(200, ['X-A', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end('x'),
  ],
  [
    'writeHead(status, message, flat list), end',
    (res) => res.writeHead(200, 'Fine', ['X-A', '1', 'X-B', '2']).end('x'),
  ],
  [
    'writeHead(status, list of pairs), end',
    (res) =>
      res
        .writeHead(200, [
          ['X-A', '1'],
          ['X-A', '2'],
          ['X-B', '3'],
        ] as never)
        .end('x'),
  ],
  [
    'setHeader, writeHead with the same header, end',
    (res) => res.setHeader('X-A', '1').writeHead(200, { 'X-A': '2', 'X-B': '3' }).end('x'),
  ],
  [
    'setHeader, writeHead with a flat list, end',
    (res) => res.setHeader('X-A', '1').writeHead(200, ['x-a', '2', 'X-B', '3']).end('x'),
  ],
  [
    'writeHead, write, end',
    (res) => {
      res.writeHead(200, { 'Content-Type': 'text/plain' })
      res.write('one')
      res.write(Buffer.from('two'))
      res.end('three')
    },
  ],
  [
    'write, end',
    (res) => {
      res.write('one')
      res.end()
    },
  ],
  [
    'write with a length, end',
    (res) => {
      res.setHeader('Content-Length', 6)
      res.write('one')
      res.end('two')
    },
  ],
  [
    'writeHead with a length, end',
    (res) => res.writeHead(200, { 'Content-Length': '3' }).end('one'),
  ],
  [
    'writes over several turns',
    async (res) => {
      for (const part of ['a', 'b', 'c']) {
        res.write(part)
        await later(1)
      }
      res.end()
    },
  ],
  [
    'flushHeaders, write, end',
    (res) => {
      res.flushHeaders()
      res.write('data: 1\n\n')
      res.end()
    },
  ],
  [
    'flushHeaders twice, end(string)',
    (res) => {
      res.flushHeaders()
      res.flushHeaders()
      res.end('x')
    },
  ],
  [
    'cork, write, uncork',
    (res) => {
      res.cork()
      res.write('one')
      res.write('two')
      res.uncork()
      res.end()
    },
  ],
  ['204', (res) => res.writeHead(204).end()],
  [
    '204 with a body all the same',
    (res) => {
      res.statusCode = 204
      res.write('x')
      res.end('y')
    },
  ],
  ['304', (res) => res.writeHead(304, { ETag: '"e"' }).end()],
  ['HEAD, end(string)', (res) => res.end('hello'), HEAD],
  [
    'HEAD, write, end',
    (res) => {
      res.write('hello')
      res.end()
    },
    HEAD,
  ],
  ['HEAD with a length', (res) => res.writeHead(200, { 'Content-Length': 5 }).end('hello'), HEAD],
  [
    'trailers',
    (res) => {
      res.writeHead(200, { Trailer: 'X-Sum' })
      res.write('x')
      res.addTrailers({ 'X-Sum': '1' })
      res.end()
    },
  ],
  [
    'no date',
    (res) => {
      res.sendDate = false
      res.end('x')
    },
  ],
  [
    'removed length',
    (res) => {
      res.removeHeader('Content-Length')
      res.end('x')
    },
  ],
  [
    'removed transfer-encoding',
    (res) => {
      res.removeHeader('Transfer-Encoding')
      res.write('x')
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
    '102, 103, then 200',
    (res) => {
      res.writeProcessing()
      res.writeEarlyHints({ link: '</a.css>; rel=preload' })
      res.end('x')
    },
  ],
  ['HTTP/1.0, end(string)', (res) => res.end('x'), HTTP_1_0],
  [
    'HTTP/1.0, write, end',
    (res) => {
      res.write('one')
      res.end('two')
    },
    HTTP_1_0,
  ],
  [
    'HTTP/1.0 that knows chunks',
    (res) => {
      res.write('one')
      res.end('two')
    },
    KEPT_1_0,
  ],
  ['stream.pipe of 5 MB', (res) => createReadStream(bigFile).pipe(res)],
  ['pipeline of 5 MB', (res) => pipeline(createReadStream(bigFile), res)],
  ['pipeline of a generator', (res) => pipeline(Readable.from(parts()), res)],
  ['pipeline of 5 MB to HTTP/1.0', (res) => pipeline(createReadStream(bigFile), res), HTTP_1_0],
  ['end(5 MB)', (res) => res.end(BIG)],
]

function* parts(): Generator<string> {
  for (let i = 0; i < 2_000; i++) yield `part ${i} of many, `.repeat(5)
}

describe.each(Object.entries(SAVES))('with %s, the wire carries the same bytes', (_, save) => {
  it.concurrent.each(HANDLERS)('%s', async (_name, handler, text = get()) => {
    const unheld = await ask((req, res) => void handler(res, req), text)
    const held = await ask((req, res) => {
      holdHead(res, { ...save, fail: unexpected })
      handler(res, req)
    }, text)

    expect(held.toString('latin1').match(/^Set-Cookie: held=1/gm)).toHaveLength(1)
    expect(comparable(held) === comparable(unheld), sideBySide(held, unheld)).toBe(true)
  })

  const routes: readonly [name: string, text?: string][] = [
    ['/send'],
    ['/send', request('HEAD', '/send')],
    ['/json'],
    ['/redirect'],
    ['/file'],
    ['/file', get('/file', 'Range: bytes=10-20')],
    ['/file', request('HEAD', '/file')],
    ['/status'],
    ['/cookie'],
    ['/throw'],
    ['/reject'],
    ['/missing'],
    ['/send-empty'],
    ['/send', get('/send', 'If-None-Match: "5-qvTGHdzF6KLavt4PO0gs2a6pQ00"')],
    ['/stream'],
    ['/jsonp', get('/jsonp?callback=f')],
  ]
  it.concurrent.each(routes)('Express %s %#', async (path, text = get(path)) => {
    const unheld = await ask(app(), text)
    const held = await ask(
      app((_req, res, next) => {
        holdHead(res, { ...save, fail: unexpected })
        next()
      }),
      text,
    )

    expect(held.toString('latin1').match(/^Set-Cookie: held=1/gm)).toHaveLength(1)
    expect(comparable(held) === comparable(unheld), sideBySide(held, unheld)).toBe(true)
  })
})

function app(before?: (req: Request, res: Response, next: NextFunction) => void): RequestListener {
  const app = express()
  app.set('env', 'test')
  if (before !== undefined) app.use(before)
  app.get('/send', (_req, res) => void res.send('hello'))
  app.get('/send-empty', (_req, res) => void res.send())
  app.get('/json', (_req, res) => void res.status(201).json({ a: 1 }))
  app.get('/jsonp', (_req, res) => void res.jsonp({ a: 1 }))
  app.get('/redirect', (_req, res) => res.redirect('/send'))
  app.get('/file', (_req, res) => res.sendFile(bigFile))
  app.get('/stream', (_req, res) => void createReadStream(bigFile).pipe(res.type('text')))
  app.get('/status', (_req, res) => void res.sendStatus(403))
  app.get('/cookie', (_req, res) => void res.cookie('a', '1').cookie('b', '2').send('x'))
  app.get('/throw', () => unexpected(Object.assign(new TypeError('sync'), { stack: 'sync' })))
  app.get('/reject', async () => {
    await later(1)
    unexpected(Object.assign(new TypeError('async'), { stack: 'async' }))
  })
  return app as RequestListener
}

function sideBySide(held: Buffer, unheld: Buffer): string {
  return `held:\n${comparable(held).slice(0, 500)}\nunheld:\n${comparable(unheld).slice(0, 500)}`
}
