import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { type HeldHead, holdHead } from '../../src/http/held-head.ts'
import { addToHead } from '../../src/http/response-headers.ts'
import { addition, ask, deferred, get, nothing, request } from './held-head-wire.ts'

/** Runs a handler on a response whose save waits for `finishSave`. */
async function whileHeld(
  handler: (held: {
    res: ServerResponse
    hold: HeldHead
    commits: () => number
    finishSave: () => void
  }) => unknown,
  text = get(),
): Promise<string> {
  const outcome = deferred<void>()
  outcome.promise.catch(() => {}) // Awaited below, but it may fail before.
  const bytes = await ask(async (_req, res) => {
    const save = deferred<void>()
    let commits = 0
    const hold = holdHead(res, {
      commit: async () => {
        commits++
        await save.promise
        return addition
      },
      fail: outcome.reject,
    })
    try {
      await handler({ res, hold, commits: () => commits, finishSave: () => save.resolve() })
      save.resolve()
      outcome.resolve()
    } catch (error) {
      outcome.reject(error)
      res.destroy()
    }
  }, text)
  await outcome.promise
  return bytes.toString('latin1')
}

/** What a call throws or returns, and what its response then says of itself. */
function code(call: () => unknown): unknown {
  try {
    call()
    return 'nothing'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

describe('while the head is held', () => {
  const firstCalls: readonly [string, (res: ServerResponse) => unknown][] = [
    ['writeHead', (res) => res.writeHead(200)],
    ['writeHeader', (res) => Reflect.get(res, 'writeHeader').call(res, 200)],
    ['_implicitHeader', (res) => Reflect.get(res, '_implicitHeader').call(res)],
    ['write', (res) => res.write('x')],
    ['end', (res) => res.end()],
    ['flushHeaders', (res) => res.flushHeaders()],
  ]
  it.each(firstCalls)('the save starts with the first %s and never again', async (_name, call) => {
    await whileHeld(({ res, commits }) => {
      expect(commits()).toBe(0)
      call(res)
      expect(commits()).toBe(1)
      if (!res.writableEnded) res.write('more')
      res.end()
      expect(commits()).toBe(1)
    })
  })

  it('nothing reaches the client before the save is done', async () => {
    await whileHeld(async ({ res, finishSave }) => {
      const { socket } = res
      res.write('x')
      await new Promise(setImmediate)
      expect(socket?.bytesWritten).toBe(0)
      finishSave()
      await once(res.end(), 'finish')
      expect(socket?.bytesWritten).toBeGreaterThan(0)
    })
  })

  it('headersSent turns true when the handler sends, and not before', async () => {
    await whileHeld(({ res }) => {
      expect(res.headersSent).toBe(false)
      res.setHeader('X-A', '1')
      res.write('x')
      expect(res.headersSent).toBe(true)
      res.end()
    })
  })

  it('changing a sent head throws what Node throws', async () => {
    await whileHeld(({ res }) => {
      res.setHeader('X-A', '1')
      res.writeHead(200)
      expect(code(() => res.setHeader('X-B', '1'))).toBe('ERR_HTTP_HEADERS_SENT')
      expect(code(() => res.setHeaders(new Map([['X-B', '1']])))).toBe('ERR_HTTP_HEADERS_SENT')
      expect(code(() => res.appendHeader('X-A', '2'))).toBe('ERR_HTTP_HEADERS_SENT')
      expect(code(() => res.removeHeader('X-A'))).toBe('ERR_HTTP_HEADERS_SENT')
      expect(code(() => res.writeHead(500))).toBe('ERR_HTTP_HEADERS_SENT')
      expect(res.getHeader('X-A')).toBe('1')
      res.end()
    })
  })

  const refused: readonly [string, (res: ServerResponse) => unknown][] = [
    ['writeHead(99)', (res) => res.writeHead(99)],
    ['writeHead(1000)', (res) => res.writeHead(1000)],
    ['writeHead with a bad name', (res) => res.writeHead(200, { 'a b': '1' })],
    ['writeHead with a bad value', (res) => res.writeHead(200, { 'X-A': 'a\nb' })],
    ['writeHead with no value', (res) => res.writeHead(200, { 'X-A': undefined })],
    ['writeHead with a bad pair', (res) => res.writeHead(200, [['X-A', 'a\nb']] as never)],
    ['writeHead with half a pair', (res) => res.writeHead(200, ['X-A'])],
    ['writeHead with a bad message', (res) => res.writeHead(200, 'a\nb')],
    ['end after a bad status', (res) => Object.assign(res, { statusCode: 7 }).end()],
    ['write after a bad message', (res) => Object.assign(res, { statusMessage: 'a\n' }).write('x')],
    [
      'flushHeaders after a bad status',
      (res) => Object.assign(res, { statusCode: 0 }).flushHeaders(),
    ],
    ['write(number)', (res) => res.write(5)],
    ['write(null)', (res) => res.write(null)],
    ['write()', (res) => res.write(undefined)],
    ['end(number)', (res) => res.end(5)],
    ['end(object)', (res) => res.end({})],
    ['setHeader with a bad value', (res) => res.setHeader('X-A', '\n')],
  ]
  it.each(refused)('%s throws at once what Node throws', async (_name, call) => {
    let unheld: unknown
    await ask((_req, res) => {
      unheld = code(() => call(res))
      res.destroy()
    }).catch(() => {})

    expect(unheld).toMatch(/^ERR_/)
    const text = await whileHeld(({ res, commits }) => {
      expect(code(() => call(res))).toBe(unheld)
      expect(commits()).toBe(0)
      expect(res.headersSent).toBe(false)
      res.writeHead(500, 'Answered')
      expect(commits()).toBe(1)
      res.end('answered')
    })
    expect(text).toContain('HTTP/1.1 500 Answered\r\n')
    expect(text).toContain('answered')
  })

  it('the methods return what Node returns', async () => {
    await whileHeld(({ res }) => {
      expect(res.writeHead(200)).toBe(res)
      expect(res.flushHeaders()).toBeUndefined()
      expect(res.write('x')).toBe(true)
      expect(res.end()).toBe(res)
      expect(res.end()).toBe(res)
    })
  })

  it('writableEnded turns true with end, writableFinished only when the bytes are out', async () => {
    await whileHeld(async ({ res, finishSave }) => {
      expect(res.writableEnded).toBe(false)
      res.end('x')
      expect(res.writableEnded).toBe(true)
      expect(res.writableFinished).toBe(false)
      finishSave()
      await once(res, 'finish')
      expect(res.writableEnded).toBe(true)
      expect(res.finished).toBe(true)
    })
  })

  it('callbacks are called once, in order, and only after the save', async () => {
    await whileHeld(async ({ res, finishSave }) => {
      const called: string[] = []
      res.write('a', () => called.push('a'))
      res.write('62', 'hex', () => called.push('b'))
      res.end('c', 'utf8', () => called.push('c'))
      await new Promise(setImmediate)
      expect(called).toEqual([])
      finishSave()
      await once(res, 'close')
      expect(called).toEqual(['a', 'b', 'c'])
    })
  })

  it('a second end, and a write after it, do what they do in Node', async () => {
    const misuse = async (res: ServerResponse, finishSave: () => void): Promise<unknown[]> => {
      const seen: unknown[] = []
      const note = (what: string) => (error?: unknown) =>
        seen.push([what, Reflect.get(Object(error), 'code')])
      res.on('error', note('error event'))
      const closed = new Promise((resolve) => res.on('close', resolve))
      res.end('x', note('first end'))
      expect(res.end(note('second end'))).toBe(res)
      expect(res.write('y', note('write'))).toBe(false)
      expect(res.end('z', note('third end'))).toBe(res)
      finishSave()
      await closed
      return seen
    }
    const unheld = deferred<unknown[]>()
    await ask((_req, res) => void misuse(res, () => {}).then(unheld.resolve, unheld.reject))
    expect(await unheld.promise).toHaveLength(6)

    const text = await whileHeld(async ({ res, finishSave }) => {
      expect(await misuse(res, finishSave)).toEqual(await unheld.promise)
    })
    expect(text).toMatch(/\r\n\r\nx$/)
  })

  it('write asks to wait at the high-water mark, and drain comes after the save', async () => {
    await whileHeld(async ({ res, finishSave }) => {
      const chunk = 'x'.repeat(res.writableHighWaterMark - 1)
      expect(res.write(chunk)).toBe(true)
      expect(res.writableNeedDrain).toBe(false)
      expect(res.write('y')).toBe(false)
      expect(res.writableNeedDrain).toBe(true)
      let drained = 0
      res.on('drain', () => drained++)
      await new Promise(setImmediate)
      expect(drained).toBe(0)
      finishSave()
      await once(res, 'drain')
      expect(res.writableNeedDrain).toBe(false)
      expect(res.write('z')).toBe(true)
      await once(res.end(), 'finish')
      expect(drained).toBe(1)
    })
  })

  it('drain comes also when the replayed writes find room', async () => {
    await whileHeld(
      async ({ res, finishSave }) => {
        expect(res.write(Buffer.alloc(100_000))).toBe(false)
        finishSave()
        await once(res, 'drain')
        res.end()
      },
      request('HEAD', '/'),
    )
  })

  it.each([
    ['has ended', (res: ServerResponse) => void res.end()],
    ['has destroyed the response', (res: ServerResponse) => void res.destroy()],
  ])('drain does not come to a handler that %s', async (_what, finish) => {
    await whileHeld(
      async ({ res, finishSave }) => {
        let drained = 0
        res.on('drain', () => drained++)
        const closed = once(res, 'close')
        expect(res.write(Buffer.alloc(100_000))).toBe(false)
        finish(res)
        expect(res.writableNeedDrain).toBe(false)
        finishSave()
        await closed
        await new Promise(setImmediate)
        expect(drained).toBe(0)
      },
      request('HEAD', '/'),
    )
  })

  it('who asks for the head again, because it sees none stored, does no harm', async () => {
    const text = await whileHeld(({ res }) => {
      const wrapped = res.write
      Reflect.set(res, 'write', (chunk: string) => {
        if (!Reflect.get(res, '_header')) Reflect.get(res, '_implicitHeader').call(res)
        return wrapped.call(res, chunk, 'utf8')
      })
      res.write('x')
      res.write('y')
      res.end()
    })
    expect(text).toMatch(/Set-Cookie: held=1[^]*\r\nx\r\n1\r\ny\r\n/)
  })

  it('a piped stream waits, however much it has to give', async () => {
    await whileHeld(async ({ res, finishSave }) => {
      let read = 0
      const source = new Readable({
        read() {
          read += 1_000
          this.push(read > 5_000_000 ? null : Buffer.alloc(1_000))
        },
      })
      source.pipe(res)
      await once(source, 'pause')
      await new Promise(setImmediate)
      expect(read).toBeLessThan(200_000)
      finishSave()
      await once(res, 'finish')
      expect(read).toBeGreaterThan(5_000_000)
    })
  })

  it('informational responses reach the client at once', async () => {
    const text = await whileHeld(async ({ res, commits }) => {
      const { socket } = res
      await new Promise<void>((resolve) =>
        res.writeEarlyHints({ link: '</a>; rel=preload' }, resolve),
      )
      expect(commits()).toBe(0)
      expect(socket?.bytesWritten).toBeGreaterThan(0)
      res.end('x')
      res.writeProcessing()
    })
    expect(text).toMatch(/^HTTP\/1.1 103 Early Hints\r\n[^]*HTTP\/1.1 102[^]*HTTP\/1.1 200 OK/)
  })

  it('the handler may end the response from within the save', async () => {
    const bytes = await ask((_req, res) => {
      holdHead(res, {
        commit: async () => {
          res.end('from within')
          return addition
        },
        fail: () => res.destroy(),
      })
      res.write('from outside, ')
    })
    expect(bytes.toString()).toContain('from outside, ')
    expect(bytes.toString()).toContain('from within')
    expect(bytes.toString()).toContain('Set-Cookie: held=1')
  })
})

describe('what is added', () => {
  it('stands beside the cookies of the handler, wherever it set them', async () => {
    const text = await whileHeld(({ res }) => {
      res.setHeader('Set-Cookie', 'a=1')
      res.appendHeader('Set-Cookie', 'b=2')
      res.end()
    })
    expect(text.match(/^Set-Cookie: .*$/gm)?.map((line) => line.slice(12))).toEqual([
      'a=1',
      'b=2',
      'held=1; HttpOnly',
    ])
    const written = await whileHeld(({ res }) =>
      res.writeHead(200, { 'set-cookie': ['a=1'] }).end(),
    )
    expect(written.match(/^set-cookie: .*$/gim)).toHaveLength(2)
  })

  it('never enters an array that the handler passed, which other responses may share', async () => {
    const shared = ['a=1']
    await whileHeld(({ res }) => res.setHeader('Set-Cookie', shared).end())
    await whileHeld(({ res }) => res.writeHead(200, { 'Set-Cookie': shared }).end())
    await whileHeld(({ res }) => res.writeHead(200, [['Set-Cookie', shared]] as never).end())
    expect(shared).toEqual(['a=1'])
  })

  it('may be nothing', async () => {
    const bytes = await ask((_req, res) => {
      holdHead(res, { commit: async () => nothing, fail: () => res.destroy() })
      res.end('x')
    })
    expect(bytes.toString()).not.toMatch(/set-cookie|cache-control|vary/i)
  })

  const caching = { setCookies: [], noStore: true, varyCookie: true }
  it('overrules every header that lets a cache keep the response', async () => {
    const bytes = await ask((_req, res) => {
      holdHead(res, { commit: async () => caching, fail: () => res.destroy() })
      res.writeHead(200, {
        'cache-control': 'public, max-age=600',
        'CDN-Cache-Control': 'max-age=600',
        'Surrogate-Control': 'max-age=600',
      })
      res.end('x')
    })
    expect(bytes.toString().match(/^.*(?:cache|surrogate).*$/gim)).toEqual([
      'Cache-Control: no-store',
    ])
  })

  it.each([
    [undefined, 'Cookie'],
    ['Accept', 'Accept, Cookie'],
    [['Accept', 'Origin'], 'Accept, Origin, Cookie'],
    ['accept, COOKIE', 'accept, COOKIE'],
    ['*', '*'],
    ['X-Cookie', 'X-Cookie, Cookie'],
  ])('joins Vary: %s once', async (before, after) => {
    await ask((_req, res) => {
      if (before !== undefined) res.setHeader('Vary', before)
      addToHead(res, { setCookies: [], noStore: false, varyCookie: true })
      addToHead(res, { setCookies: [], noStore: false, varyCookie: true })
      expect(res.getHeader('Vary')).toBe(after)
      res.end()
    })
  })
})

describe('the hold leaves no trace', () => {
  it('once the save is done', async () => {
    await whileHeld(async ({ res, finishSave }) => {
      res.write('x')
      finishSave()
      await new Promise(setImmediate)
      expect(ownAccessorsAndMethods(res)).toEqual([])
      res.end('y')
    })
  })

  it('once it is released', async () => {
    const text = await whileHeld(({ res, hold, commits }) => {
      hold.release()
      expect(ownAccessorsAndMethods(res)).toEqual([])
      res.end('x')
      expect(commits()).toBe(0)
    })
    expect(text).not.toContain('Set-Cookie')
  })

  it('release does nothing once the save has begun', async () => {
    const text = await whileHeld(({ res, hold }) => {
      res.write('x')
      hold.release()
      res.end('y')
    })
    expect(text).toMatch(/Set-Cookie: held=1[^]*\r\nx\r\n1\r\ny\r\n/)
  })

  it('and it is refused when the head has left', async () => {
    await ask((_req, res) => {
      res.write('x')
      expect(code(() => holdHead(res, { commit: async () => nothing, fail: () => {} }))).toBe(
        'ERR_RESPONSE_STARTED',
      )
      res.end()
    })
  })
})

function ownAccessorsAndMethods(res: ServerResponse): string[] {
  const untouched = new Set(['_onPendingData'])
  return Object.entries(Object.getOwnPropertyDescriptors(res))
    .filter(([name, own]) => !untouched.has(name) && (own.get || typeof own.value === 'function'))
    .map(([name]) => name)
}
