import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { holdHead } from '../../src/http/held-head.ts'
import { addition, type Deferred, deferred, get, open, serve } from './held-head-wire.ts'

const KEEP = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n'

interface Abort {
  readonly res: ServerResponse
  readonly save: Deferred<typeof addition>
  readonly failures: unknown[]
  /** Resolves once the server knows that the client is gone. */
  readonly gone: Promise<unknown>
}

/**
 * Runs a handler whose client can hang up, and checks that no listener is left behind, besides
 * those that the handler says others have left.
 */
async function withClientThatLeaves(
  handler: (held: Abort, hangUp: () => void) => Promise<string[] | undefined>,
): Promise<void> {
  const done = deferred<void>()
  const served = await serve(async (_req, res) => {
    const before = listeners(res)
    const save = deferred<typeof addition>()
    const failures: unknown[] = []
    const gone = new Promise((resolve) => res.prependOnceListener('close', resolve))
    holdHead(res, { commit: () => save.promise, fail: (error) => failures.push(error) })
    try {
      const expected = await handler({ res, save, failures, gone }, () => client.destroy())
      await new Promise(setImmediate)
      expect(listeners(res)).toEqual(expected ?? before)
      done.resolve()
    } catch (error) {
      done.reject(error)
    }
  })
  const client = open(served.port)
  client.on('error', () => {})
  client.write(get())
  await done.promise.finally(() => served.close())
}

function listeners(res: ServerResponse): string[] {
  return res
    .eventNames()
    .flatMap((name) => Array(res.listenerCount(name)).fill(String(name)))
    .sort()
}

describe('when the client hangs up', () => {
  it('before anything is sent, the save happens with the first call all the same', async () => {
    await withClientThatLeaves(async ({ res, save, failures, gone }, hangUp) => {
      hangUp()
      await gone
      expect(res.write('x')).toBe(false)
      res.end('y')
      save.resolve(addition)
      await save.promise
      expect(failures).toEqual([])
    })
  })

  it('during the save, the save is done and nothing throws', async () => {
    await withClientThatLeaves(async ({ res, save, failures, gone }, hangUp) => {
      res.writeHead(200, { 'X-A': '1' })
      res.write('x')
      res.end('y')
      hangUp()
      await gone
      save.resolve(addition)
      await save.promise
      await new Promise(setImmediate)
      expect(failures).toEqual([])
      expect(res.write('late')).toBe(false)
      expect(res.end()).toBe(res)
    })
  })

  it('during a save that fails, the failure is told', async () => {
    await withClientThatLeaves(async ({ res, save, failures, gone }, hangUp) => {
      res.write('x')
      hangUp()
      await gone
      save.reject('broken')
      await save.promise.catch(() => {})
      await new Promise(setImmediate)
      expect(failures).toEqual(['broken'])
      res.write('late')
      res.end()
    })
  })

  it('a pipeline into the held response ends as it does in Node', async () => {
    await withClientThatLeaves(async ({ res, save, gone }, hangUp) => {
      const source = new Readable({ read: () => {} })
      source.push('x')
      const piped = pipeline(source, res)
      await new Promise(setImmediate)
      hangUp()
      await expect(piped).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
      expect(source.destroyed).toBe(true)
      await gone
      const leftByPipeline = listeners(res)
      save.resolve(addition)
      await save.promise
      return leftByPipeline
    })
  })

  it('the handler may destroy the response itself', async () => {
    await withClientThatLeaves(async ({ res, save, failures, gone }) => {
      res.write('x')
      res.destroy(new Error('of the handler'))
      await gone
      save.resolve(addition)
      await save.promise
      expect(failures).toEqual([])
    })
  })
})

describe('on one connection', () => {
  it('held and unheld responses follow each other in order', async () => {
    let count = 0
    const saves: Deferred<typeof addition>[] = []
    const served = await serve((_req, res) => {
      const number = ++count
      if (number !== 3) {
        const save = deferred<typeof addition>()
        saves.push(save)
        holdHead(res, { commit: () => save.promise, fail: () => res.destroy() })
      }
      res.write(`<${number}>`)
      res.end(Buffer.alloc(50_000, String(number)))
      // The later save is done first; the responses must not change places.
      if (count === 4) for (const late of saves.reverse()) late.resolve(addition)
    })
    const client = open(served.port)
    client.write(KEEP.repeat(3) + get())
    let text = ''
    for await (const chunk of client.setEncoding('latin1')) text += chunk
    await served.close()

    expect(text.match(/^HTTP\/1.1 200 OK|<\d>|^Set-Cookie: held=1/gm)).toEqual(
      ['<1>', '<2>', '<3>', '<4>'].flatMap((body) =>
        body === '<3>'
          ? ['HTTP/1.1 200 OK', body]
          : ['HTTP/1.1 200 OK', 'Set-Cookie: held=1', body],
      ),
    )
    expect(text.length).toBeGreaterThan(200_000)
  })

  it('a graceful shutdown waits for the response that is held', async () => {
    const save = deferred<typeof addition>()
    const ended = deferred<void>()
    const served = await serve((_req, res) => {
      holdHead(res, { commit: () => save.promise, fail: () => res.destroy() })
      res.end('still here')
      ended.resolve()
    })
    const client = open(served.port)
    client.write(get())
    await ended.promise
    const closed = once(served.server.close(), 'close')
    await new Promise(setImmediate)
    save.resolve(addition)
    let text = ''
    for await (const chunk of client.setEncoding('latin1')) text += chunk
    await closed
    expect(text).toMatch(/Set-Cookie: held=1[^]*still here/)
  })

  it('setTimeout of the response works while the head is held', async () => {
    const save = deferred<typeof addition>()
    const served = await serve((_req, res) => {
      holdHead(res, { commit: () => save.promise, fail: () => res.destroy() })
      res.setTimeout(10, () => save.resolve(addition))
      res.end('after the timeout')
    })
    const client = open(served.port)
    client.write(get())
    let text = ''
    for await (const chunk of client.setEncoding('latin1')) text += chunk
    await served.close()
    expect(text).toContain('after the timeout')
  })
})
