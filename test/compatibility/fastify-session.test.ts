import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify'
import { PgSessionStore, type SidCommonOptions } from 'pg-sessions/express-session'
import { describe, expect, it } from 'vitest'
import { Browser } from './browser.ts'
import { gated } from './gate.ts'
import { eachGround, type Ground, type Grounds } from './grounds.ts'
import { logOutMeanwhile, setKeysAtOnce } from './shared-stories.ts'

// Its types and those of our own adapter give `request.session` two types in one program.
const load = createRequire(import.meta.url)
const fastifyCookie = load('@fastify/cookie') as FastifyPluginCallback
const fastifySession = load('@fastify/session') as FastifyPluginCallback<Record<string, unknown>>

interface TheirSession extends Record<string, unknown> {
  readonly sessionId: string
  destroy(): Promise<void>
  regenerate(keys?: string[]): Promise<void>
  reload(): Promise<void>
  save(): Promise<void>
}

function sessionOf(request: object): TheirSession {
  return (request as { readonly session: TheirSession }).session
}

eachGround((grounds) => {
  describe('@fastify/session on Fastify 5 with PgSessionStore', () => {
    it('parallel requests that each set another key keep all', async () => {
      const { browser } = await open(grounds)
      await setKeysAtOnce(browser(), 20)
    })

    it('a deleted key goes, and logout while a slow request is in flight stays a logout', async () => {
      const gate = gated()
      const { browser, ground } = await open(grounds, {}, (app) => {
        app.get('/slow', async (request) => {
          sessionOf(request).late = 'yes'
          await gate.wait()
          return 'done'
        })
      })
      await logOutMeanwhile(browser(), gate)
      // The middleware begins a session for each client that comes without one.
      expect((await ground.watched.store.count()).live).toBeLessThanOrEqual(1)
    })

    it('an expiry that is not a date is an error of its request, and does not end the process', async () => {
      const { browser } = await open(grounds, {}, (app) => {
        app.get('/until/:time', async (request) => {
          const { cookie } = sessionOf(request) as unknown as { cookie: { maxAge: unknown } }
          sessionOf(request).a = 1
          cookie.maxAge = Number(Object(request.params).time)
          return 'done'
        })
      })
      const ann = browser()
      const refused = await ann.get('/until/soon')
      expect(refused.status).toBe(500)
      expect(refused.text).toContain('session.cookie.expires is not a valid date')
      expect((await ann.get('/until/60000')).status).toBe(200)
    })

    it('a read-only request inside the touch interval writes nothing, although rolling is on', async () => {
      const options = { touchInterval: '10m' } as const
      const { browser, ground } = await open(grounds, options, undefined, {
        cookie: { secure: false, maxAge: 86_400_000 },
      })
      const ann = browser()
      await ann.get('/set/a/1')
      ground.watched.calls.length = 0
      const { setCookies } = await ann.get('/read')
      expect(setCookies).toHaveLength(1)
      await ground.elapse(11 * 60_000)
      await ann.get('/read')
      expect(ground.watched.calls).toEqual(['load', 'load', 'touch'])
    })

    it('regenerate keeps the keys that it is told to, and the old sid is dead', async () => {
      const { browser } = await open(grounds, {}, (app) => {
        app.get('/regenerate', async (request) => {
          await sessionOf(request).regenerate(['a'])
          sessionOf(request).b = 2
          return 'done'
        })
      })
      const ann = browser()
      await ann.get('/set/a/1')
      await ann.get('/set/gone/1')
      const planted = ann.twin()
      await ann.get('/regenerate')
      expect(await ann.json('/read')).toEqual({ a: '1', b: 2 })
      expect(await planted.json('/read')).toEqual({})
    })

    it('reload and save work within a request', async () => {
      const { browser } = await open(grounds, {}, (app) => {
        app.get('/twice', async (request) => {
          sessionOf(request).a = 1
          await sessionOf(request).save()
          sessionOf(request).dropped = true
          await sessionOf(request).reload()
          sessionOf(request).b = 2
          await sessionOf(request).save()
          return 'done'
        })
      })
      const ann = browser()
      await ann.get('/twice')
      expect(await ann.json('/read')).toEqual({ a: 1, b: 2 })
    })
  })
})

async function open(
  grounds: Grounds,
  options: SidCommonOptions = {},
  addRoutes: (app: FastifyInstance) => void = () => {},
  middleware: object = {},
): Promise<{ browser(): Browser; ground: Ground }> {
  const ground = await grounds.lay()
  const store = new PgSessionStore({
    store: ground.watched.store,
    log: false,
    purgeInterval: 'never',
    ...options,
  })
  const app = grounds.closing(Fastify({ forceCloseConnections: true }))
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    secret: 'a secret with minimum length of 32 characters',
    cookie: { secure: false },
    ...middleware,
    store,
  })
  app.get<{ Params: { key: string; value: string } }>('/set/:key/:value', async (request) => {
    sessionOf(request)[request.params.key] = request.params.value
    return 'set'
  })
  app.get<{ Params: { key: string } }>('/delete/:key', async (request) => {
    delete sessionOf(request)[request.params.key]
    return 'deleted'
  })
  app.get('/read', async (request) => {
    const { cookie: _, ...data } = sessionOf(request)
    return data
  })
  app.get('/logout', async (request) => {
    await sessionOf(request).destroy()
    return 'bye'
  })
  addRoutes(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { browser: () => new Browser(`http://127.0.0.1:${port}`), ground }
}
