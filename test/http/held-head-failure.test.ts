import { createReadStream } from 'node:fs'
import { copyFile, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import type { RequestListener, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as later } from 'node:timers/promises'
import express, { type ErrorRequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { holdHead } from '../../src/http/held-head.ts'
import { addition, ask, deferred, get, request } from './held-head-wire.ts'

const broken = new Error('the store is away')
let folder: string
let bigFile: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'held-head-failure-'))
  bigFile = join(folder, 'big.txt')
  await writeFile(bigFile, Buffer.alloc(5_000_000, 'body of the handler '))
})
afterAll(() => rm(folder, { recursive: true }))

/** A save that fails once the handler has had its turn. */
async function failingSave(): Promise<never> {
  await later(10)
  throw broken
}

function answering(res: ServerResponse): (error: unknown) => void {
  return (error) => {
    expect(error).toBe(broken)
    expect(res.headersSent).toBe(false)
    expect(res.writableEnded).toBe(false)
    res.statusCode = 500
    res.end('sorry')
  }
}

const SORRY =
  /^HTTP\/1.1 500 Internal Server Error\r\n(?:(?!X-Handler|Set-Cookie).*\r\n)*\r\n(?:5\r\n)?sorry(?:\r\n0\r\n\r\n)?$/

describe('when the save fails', () => {
  const handlers: readonly [string, (res: ServerResponse) => unknown][] = [
    ['end', (res) => res.end('body of the handler')],
    [
      'writeHead, end',
      (res) => res.writeHead(201, 'Made', { 'X-Handler': '1', 'Content-Length': 1 }).end('x'),
    ],
    [
      'a cookie, write, end',
      (res) => {
        res.setHeader('Set-Cookie', 'a=1')
        res.write('body')
        res.end()
      },
    ],
    [
      'flushHeaders',
      (res) => {
        res.setHeader('X-Handler', '1')
        res.flushHeaders()
      },
    ],
    ['writeHead alone', (res) => res.writeHead(200, { 'X-Handler': '1' })],
    [
      'trailers',
      (res) => {
        res.writeHead(200, { Trailer: 'X-Handler' })
        res.addTrailers({ 'X-Handler': '1' })
      },
    ],
    ['a pipe of 5 MB', (res) => createReadStream(bigFile).pipe(res)],
    ['a pipeline of 5 MB', (res) => pipeline(createReadStream(bigFile), res).catch(() => {})],
    [
      'a pipeline of a generator',
      (res) => pipeline(Readable.from(endlessly()), res).catch(() => {}),
    ],
    [
      'writes that never stop',
      (res) => {
        const timer = setInterval(() => res.write('late'), 1)
        res.on('close', () => clearInterval(timer))
        res.write('first')
      },
    ],
    [
      'an end that comes late',
      (res) => {
        res.write('first')
        setTimeout(() => res.end('late'), 20)
      },
    ],
  ]
  it.each(handlers)('the client gets the answer of fail alone: %s', async (_name, handler) => {
    const bytes = await ask((_req, res) => {
      holdHead(res, { commit: failingSave, fail: answering(res) })
      handler(res)
    })
    expect(bytes.toString()).toMatch(SORRY)
  })

  it.each(handlers)('also when the answer takes its time: %s', async (_name, handler) => {
    const bytes = await ask((_req, res) => {
      holdHead(res, {
        commit: failingSave,
        fail: async () => {
          await later(30)
          res.writeHead(500, { 'X-Answer': '1' })
          res.write('so')
          await later(30)
          res.end('rry')
        },
      })
      handler(res)
    })
    const text = bytes.toString()
    expect(text).toContain('HTTP/1.1 500 Internal Server Error\r\nX-Answer: 1\r\n')
    expect(text).toMatch(/\r\n\r\n2\r\nso\r\n3\r\nrry\r\n0\r\n\r\n$/)
  })

  it('a commit that throws at once is a save that failed', async () => {
    const bytes = await ask((_req, res) => {
      holdHead(res, {
        commit: () => {
          throw broken
        },
        fail: answering(res),
      })
      res.end('x')
    })
    expect(bytes.toString()).toMatch(SORRY)
  })

  it('headers from before the hold stay, as they were, and those from after are gone', async () => {
    const bytes = await ask((_req, res) => {
      res.setHeader('X-Policy', 'strict')
      res.setHeader('X-List', ['1'])
      res.setHeader('X-Removed', '1')
      holdHead(res, { commit: failingSave, fail: answering(res) })
      res.setHeader('X-Policy', 'none')
      res.appendHeader('X-List', '2')
      res.removeHeader('X-Removed')
      res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT')
      res.statusCode = 201
      res.statusMessage = 'Made'
      res.end('x')
    })
    const text = bytes.toString()
    expect(text).toMatch(/^HTTP\/1.1 500 Internal Server Error\r\n/)
    const lines = text.toLowerCase().match(/^x-.*$/gm)
    expect(lines?.sort()).toEqual(['x-list: 1', 'x-policy: strict', 'x-removed: 1'])
    expect(text.match(/^Date: .*$/gm)).toHaveLength(1)
    expect(text).not.toContain('1970')
  })

  it('callbacks of what was dropped are told, once, with the error', async () => {
    const told = deferred<unknown[]>()
    await ask((_req, res) => {
      const errors: unknown[] = []
      const note = (error?: unknown): void => {
        if (errors.push(error) === 4) told.resolve(errors)
      }
      holdHead(res, { commit: failingSave, fail: answering(res) })
      res.write('a', note)
      res.write('a', 'utf8', note)
      setTimeout(() => {
        expect(res.write('late', note)).toBe(false)
        expect(res.end('late', note)).toBe(res)
        expect(res.end()).toBe(res)
      }, 50)
    })
    expect(await told.promise).toEqual([broken, broken, broken, broken])
  })

  it('a file that was being sent is closed', async () => {
    const file = join(folder, 'closed.txt')
    await copyFile(bigFile, file)
    const opened = deferred<string[]>()
    await ask((_req, res) => {
      holdHead(res, { commit: failingSave, fail: answering(res) })
      const source = createReadStream(file)
      source.on('open', () => openFiles().then(opened.resolve))
      pipeline(source, res).catch(() => {})
    })
    expect(await opened.promise).toContain(file)
    await expect.poll(openFiles).not.toContain(file)
  })

  it('fail that throws cuts the connection and not the process', async () => {
    const bytes = await ask((_req, res) => {
      holdHead(res, {
        commit: failingSave,
        fail: () => {
          throw broken
        },
      })
      res.end('x')
    })
    expect(bytes).toHaveLength(0)
  })

  it('a head that only Node can refuse fails after the save, with what the save added', async () => {
    const bytes = await ask((_req, res) => {
      holdHead(res, {
        commit: async () => addition,
        fail: (error) => {
          expect(error).toMatchObject({ code: 'ERR_HTTP_TRAILER_INVALID' })
          res.statusCode = 500
          res.end('sorry')
        },
      })
      res.setHeader('Trailer', 'X-Sum')
      res.setHeader('Content-Length', 1)
      res.end('x')
    })
    const text = bytes.toString()
    expect(text).toContain('Set-Cookie: held=1')
    expect(text).not.toContain('Trailer')
    expect(text).toContain('sorry')
  })

  it('a body that Node refuses half-way cuts the connection', async () => {
    const failed = deferred<unknown>()
    const bytes = await ask((_req, res) => {
      holdHead(res, { commit: async () => addition, fail: failed.resolve })
      res.strictContentLength = true
      res.setHeader('Content-Length', 2)
      res.write('xx')
      res.end('more')
    })
    expect(await failed.promise).toMatchObject({ code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' })
    expect(bytes.toString()).not.toContain('more')
  })

  it('a head by a writeHead that was looked up before the hold is replaced like any other', async () => {
    const bytes = await ask((_req, res) => {
      const { writeHead } = res
      const fail = (error: unknown): unknown => res.writeHead(503).end(String(error === broken))
      holdHead(res, { commit: failingSave, fail })
      writeHead.call(res, 204)
      res.end('x')
    })
    expect(bytes.toString()).toMatch(/^HTTP\/1.1 503 [^]*\r\n4\r\ntrue\r\n/)
  })
})

describe('when the handler fails after it has answered', () => {
  const throwing = (isHeld: boolean): ReturnType<typeof ask> => {
    const app = express().set('env', 'test')
    app.get('/', async (_req, res) => {
      const commit = async (): Promise<typeof addition> => {
        for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
        return addition
      }
      if (isHeld) holdHead(res, { commit, fail: (error) => res.destroy(error as Error) })
      res.json({ a: 'x'.repeat(2000) })
      throw new TypeError('too late')
    })
    return ask((req, res) => void app(req, res))
  }

  it('Express sends the whole answer, as it does when nothing is held, and then cuts the connection', async () => {
    const [plain = '', held = ''] = [await throwing(false), await throwing(true)].map(String)
    expect(held).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    expect(held).toContain('Set-Cookie: ')
    expect(bodyOf(held)).toHaveLength(2008)
    expect(bodyOf(held)).toBe(bodyOf(plain))
  })
})

describe('when the save fails under Express', () => {
  const paths = [
    '/send',
    '/json',
    '/redirect',
    '/file',
    '/stream',
    '/pipeline',
    '/events',
    '/throw-late',
  ]
  const json: ErrorRequestHandler = (error, _req, res, next) => {
    if (res.headersSent) return next(error)
    res.status(503).json({ problem: 'sorry' })
  }
  const slow: ErrorRequestHandler = async (error, _req, res, next) => {
    await later(20)
    if (res.headersSent) return next(error)
    res.status(503).json({ problem: 'sorry' })
  }

  // There the error handlers have had their turn, and Express does not go back.
  const spent = ['/throw', '/missing']
  it.each([...paths, ...spent])('its own error page is sent: GET %s', async (path) => {
    const text = (await ask(app(), get(path))).toString()
    expect(text).toMatch(/^HTTP\/1.1 500 /)
    expect(text).toContain('<pre>')
    expect(text).not.toMatch(/set-cookie|body of the handler/i)
  })

  it.each(
    paths.flatMap((path) => [[path, 'at once', json] as const, [path, 'later', slow] as const]),
  )('an error handler answers: GET %s, %s', async (path, _when, handler) => {
    const text = (await ask(app(handler), get(path))).toString()
    expect(text).toMatch(/^HTTP\/1.1 503 /)
    expect(text).toMatch(/\r\n\r\n\{"problem":"sorry"\}$/)
    expect(text).not.toMatch(/set-cookie|body of the handler/i)
  })

  it('HEAD gets the head of the error', async () => {
    const text = (await ask(app(json), request('HEAD', '/send'))).toString()
    expect(text).toMatch(/^HTTP\/1.1 503 [^]*\r\n\r\n$/)
  })
})

function app(onError?: ErrorRequestHandler): RequestListener {
  const app = express()
  app.set('env', 'test')
  app.use((_req, res, next) => {
    holdHead(res, { commit: failingSave, fail: next })
    next()
  })
  app.get('/send', (_req, res) => void res.cookie('a', '1').send('body of the handler'))
  app.get('/json', (_req, res) => void res.status(201).json({ a: 'body of the handler' }))
  app.get('/redirect', (_req, res) => res.redirect('/send'))
  app.get('/file', (_req, res) => res.sendFile(bigFile))
  app.get('/stream', (_req, res) => void createReadStream(bigFile).pipe(res))
  app.get('/pipeline', (_req, res) => pipeline(createReadStream(bigFile), res))
  app.get('/events', (_req, res) => {
    res.type('text/event-stream').flushHeaders()
    const timer = setInterval(() => res.write('data: body of the handler\n\n'), 1)
    res.on('close', () => clearInterval(timer))
  })
  app.get('/throw', () => {
    throw new TypeError('of the handler')
  })
  app.get('/throw-late', async (_req, res) => {
    res.send('body of the handler')
    await later(200)
    throw new TypeError('of the handler')
  })
  if (onError !== undefined) app.use(onError)
  return app as RequestListener
}

function* endlessly(): Generator<string> {
  for (;;) yield 'body of the handler'
}

async function openFiles(): Promise<string[]> {
  const links = await readdir('/proc/self/fd')
  return Promise.all(links.map((link) => readlink(`/proc/self/fd/${link}`).catch(() => '')))
}

function bodyOf(response: string): string {
  return response.slice(response.indexOf('\r\n\r\n') + 4)
}
