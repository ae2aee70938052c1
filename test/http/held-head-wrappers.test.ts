import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import compression from 'compression'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { holdHead } from '../../src/http/held-head.ts'
import { addition, ask, get } from './held-head-wire.ts'

const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(50_000)
let folder: string
let file: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'held-head-wrappers-'))
  file = join(folder, 'text.txt')
  await writeFile(file, TEXT)
})
afterAll(() => rm(folder, { recursive: true }))

const hold: RequestHandler = (_req, res, next) => {
  holdHead(res, { commit: () => later(20, addition), fail: next })
  next()
}
const holdAndFail: RequestHandler = (_req, res, next) => {
  holdHead(res, {
    commit: () => later(20).then(() => Promise.reject(new Error('away'))),
    fail: next,
  })
  next()
}

/** Adds a header at the moment the head is written, and counts how often it is asked to. */
function stamping(stamps: string[]): RequestHandler {
  return (_req, res, next) => {
    const { writeHead } = res
    Reflect.set(res, 'writeHead', (...args: unknown[]) => {
      stamps.push(String(res.getHeader('Content-Type')))
      if (!res.headersSent) res.setHeader('X-Stamp', stamps.length)
      return Reflect.apply(writeHead, res, args)
    })
    next()
  }
}

const orders = {
  'before the hold': [compression(), hold],
  'after the hold': [hold, compression()],
  'between two holds': [hold, compression(), hold],
}

describe.each(Object.entries(orders))('compression that wraps the response %s', (_when, order) => {
  const routes: Record<string, (res: express.Response) => unknown> = {
    '/send': (res) => res.type('text').send(TEXT),
    '/short': (res) => res.type('text').send('short'),
    '/file': (res) => res.sendFile(file),
    '/pipe': (res) => createReadStream(file, { highWaterMark: 1_000 }).pipe(res.type('text')),
    '/writes': async (res) => {
      res.type('text')
      for (let i = 0; i < TEXT.length; i += 300_000) {
        if (!res.write(TEXT.slice(i, i + 300_000))) await new Promise((go) => res.once('drain', go))
      }
      res.end()
    },
  }
  it.each(Object.keys(routes))('compresses %s and keeps the cookie', async (path) => {
    const app = express().use(...order)
    app.get(path, (_req, res) => void routes[path]?.(res))
    const bytes = await ask((req, res) => void app(req, res), get(path, 'Accept-Encoding: gzip'))
    const { head, body } = parse(bytes)

    const holds = order.filter((handler) => handler === hold).length
    expect(head.match(/^Set-Cookie: held=1/gm)).toHaveLength(holds)
    if (path === '/short') {
      expect(head).not.toContain('Content-Encoding')
      expect(body.toString()).toBe('short')
    } else {
      expect(head).toContain('Content-Encoding: gzip')
      expect(gunzipSync(body).toString() === TEXT).toBe(true)
    }
  })

  it('flushes server-sent events one by one', async () => {
    const app = express().use(...order)
    app.get('/', async (_req, res) => {
      res.type('text/event-stream')
      res.write('data: 1\n\n')
      res.flush()
      await later(50)
      res.write('data: 2\n\n')
      res.flush()
      res.end()
    })
    const bytes = await ask((req, res) => void app(req, res), get('/', 'Accept-Encoding: br'))
    expect(brotliDecompressSync(parse(bytes).body).toString()).toBe('data: 1\n\ndata: 2\n\n')
  })
})

describe.each([
  ['before', (stamps: string[]) => [stamping(stamps), hold]],
  ['after', (stamps: string[]) => [hold, stamping(stamps)]],
])('who wraps writeHead %s the hold', (_when, order) => {
  const handlers: readonly [string, (res: ServerResponse) => unknown][] = [
    ['end', (res) => res.end('x')],
    ['writeHead, end', (res) => res.writeHead(200).end('x')],
    ['write, end', (res) => res.write('x') && res.end()],
    [
      'flushHeaders, end',
      (res) => {
        res.flushHeaders()
        res.end('x')
      },
    ],
  ]
  it.each(handlers)('sees the head once and can still add to it: %s', async (_name, handler) => {
    const stamps: string[] = []
    const app = express().use(...order(stamps))
    app.use((_req, res) => {
      res.type('text')
      handler(res)
    })
    const { head } = parse(await ask((req, res) => void app(req, res)))
    expect(stamps).toEqual(['text/plain; charset=utf-8'])
    expect(head).toContain('X-Stamp: 1\r\n')
    expect(head).toContain('Set-Cookie: held=1')
  })
})

describe('when the save fails under a wrapper', () => {
  const onError: ErrorRequestHandler = (error: Error, _req, res, _next) => {
    res.status(503).type('text').send(error.message)
  }
  it.each([
    ['before', [compression(), holdAndFail]],
    ['after', [holdAndFail, compression()]],
    ['before and after', [compression(), holdAndFail, compression()]],
  ])('compression %s the hold lets nothing of the dropped body out', async (_when, order) => {
    const app = express().use(...order)
    app.get('/end', (_req, res) => void res.type('text').send(TEXT))
    app.get('/pipe', (_req, res) => void createReadStream(file).pipe(res.type('text')))
    app.use(onError)
    for (const path of ['/end', '/pipe']) {
      const bytes = await ask((req, res) => void app(req, res), get(path, 'Accept-Encoding: gzip'))
      const { head, body } = parse(bytes)
      expect(head).toMatch(/^HTTP\/1.1 503 /)
      expect(head).not.toMatch(/content-encoding|set-cookie/i)
      expect(body.toString()).toBe('away')
    }
  })
})

/** Takes a response apart and joins its chunks. */
function parse(bytes: Buffer): { head: string; body: Buffer } {
  const end = bytes.indexOf('\r\n\r\n') + 4
  const head = bytes.subarray(0, end).toString()
  const raw = bytes.subarray(end)
  if (!/transfer-encoding: chunked/i.test(head)) return { head, body: raw }
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const line = raw.indexOf('\r\n', at)
    const size = Number.parseInt(raw.subarray(at, line).toString(), 16)
    if (!(size > 0)) return { head, body: Buffer.concat(chunks) }
    chunks.push(raw.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
