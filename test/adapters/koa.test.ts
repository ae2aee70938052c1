import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import Koa from 'koa'
import { koaSessions } from 'pg-sessions/koa'
import { adapterContract } from 'pg-sessions/testing'
import { describe, expect, it } from 'vitest'
import { openKoaApplication } from './koa-application.ts'
import { askOnce } from './listen.ts'
import { memorySessions, sessionsOnCreate, unsavableSessions } from './memory-sessions.ts'

describe('koaSessions', () => {
  adapterContract({ describe, it }, openKoaApplication)

  it('keeps the cookie through ctx.throw, which removes every header', async () => {
    const app = new Koa()
    app.use(koaSessions(memorySessions()))
    app.use((ctx) => {
      ctx.session.set('a', 1)
      ctx.set('X-Mine', '1')
      ctx.throw(422, 'not like that')
    })
    const { response, text } = await askOnce(app.callback())
    expect([response.status, text]).toEqual([422, 'not like that'])
    expect(response.headers.get('x-mine')).toBeNull()
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(response.headers.get('vary')).toBe('Cookie')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it("has Koa's own error page answer for a missing file, with the cookie of what was set", async () => {
    const app = new Koa()
    app.silent = true
    app.use(koaSessions(memorySessions()))
    app.use((ctx) => {
      ctx.session.set('a', 1)
      ctx.body = createReadStream('/there/is/no/such/file')
    })
    const { response, text } = await askOnce(app.callback())
    expect([response.status, text]).toEqual([500, 'Internal Server Error'])
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })

  it('answers a stream that fails while the save is in progress, and lives on', async () => {
    const body = new Readable({ read() {} })
    const app = new Koa()
    const errors: unknown[] = []
    app.on('error', (error) => errors.push(error))
    app.use(
      koaSessions(
        sessionsOnCreate(() => {
          body.destroy(new RangeError('The stream has failed.'))
          return new Promise((resolve) => body.once('close', resolve))
        }),
      ),
    )
    app.use((ctx) => {
      ctx.session.set('a', 1)
      ctx.body = body
    })
    const { response } = await askOnce(app.callback())
    expect(response.status).toBe(500)
    expect(errors).toMatchObject([{ message: 'The stream has failed.' }])
  })

  it("has Koa's own error page answer with the status of the failure", async () => {
    const app = new Koa()
    const errors: unknown[] = []
    app.on('error', (error) => errors.push(error))
    app.use(koaSessions(unsavableSessions()))
    app.use((ctx) => {
      ctx.session.set('a', 1)
      ctx.body = 'changed'
    })
    const { response, text } = await askOnce(app.callback())
    expect([response.status, text]).toEqual([503, 'Service Unavailable'])
    expect(errors).toMatchObject([{ code: 'ERR_STORE_UNAVAILABLE' }])
  })

  it('leaves an error page that answers nothing neither body nor status nor headers', async () => {
    const app = new Koa()
    app.use(async (ctx, next) => {
      ctx.set('X-Outer', '1')
      await next().catch(() => undefined)
    })
    app.use(koaSessions(unsavableSessions()))
    app.use((ctx) => {
      ctx.session.set('a', 1)
      ctx.set('X-Mine', '1')
      ctx.body = { changed: true }
    })
    const { response, text } = await askOnce(app.callback())
    expect([response.status, text]).toEqual([503, 'Service Unavailable'])
    expect(response.headers.get('x-mine')).toBeNull()
    expect(response.headers.get('x-outer')).toBe('1')
  })

  it('leaves a response that the application answers itself, later, to the application', async () => {
    const app = new Koa()
    app.silent = true
    app.use(koaSessions(unsavableSessions()))
    app.use((ctx) => {
      ctx.session.set('a', 1)
      ctx.respond = false
      setImmediate(() => ctx.res.end('changed'))
    })
    const { response, text } = await askOnce(app.callback())
    expect([response.status, text]).toEqual([
      503,
      'The session could not be saved. Please try again later.',
    ])
  })

  it('saves with the head what the middleware before it changes afterwards', async () => {
    const sessions = memorySessions()
    const app = new Koa()
    app.use(async (ctx, next) => {
      await next()
      ctx.session.set('late', 1)
    })
    app.use(koaSessions(sessions))
    app.use((ctx) => {
      ctx.session.set('a', 1)
      ctx.body = 'changed'
    })
    const { response } = await askOnce(app.callback())
    const [cookie = ''] = response.headers.getSetCookie()
    const { session } = sessions.open(cookie.split(';')[0])
    expect(await session.entries()).toEqual([
      ['a', 1],
      ['late', 1],
    ])
  })

  it('answers and reports a save that fails when the head is about to leave', async () => {
    const app = new Koa()
    const errors: unknown[] = []
    app.on('error', (error) => errors.push(error))
    app.use(async (ctx, next) => {
      await next()
      ctx.session.set('late', 1)
    })
    app.use(koaSessions(unsavableSessions()))
    app.use((ctx) => {
      ctx.body = 'changed'
    })
    const { response, text } = await askOnce(app.callback())
    expect(response.status).toBe(503)
    expect(text).not.toContain('changed')
    expect(errors).toMatchObject([{ code: 'ERR_STORE_UNAVAILABLE' }])
  })
})
