import { describe, expect, it } from 'vitest'
import { sessionOf } from './express-session-application.ts'
import { gated } from './gate.ts'
import { eachGround } from './grounds.ts'
import { openExpressSession as open } from './open-express-session.ts'

/** What express-session documents of its sessions and options. */
eachGround((grounds) => {
  describe('with express-session, as it documents', () => {
    it('regenerate gives another sid, and the old one is dead', async () => {
      const { browser, ground } = await open(grounds, {}, (app) => {
        app.get('/login', (request, response, next) => {
          sessionOf(request).regenerate((error: unknown) => {
            if (error) return next(error)
            sessionOf(request).user = 'ann'
            response.send('in')
          })
        })
      })
      const ann = browser()
      await ann.get('/set/a/1')
      const planted = ann.twin()
      expect((await ann.get('/login')).setCookies).toHaveLength(1)
      expect(await ann.json('/read')).toEqual({ user: 'ann' })
      expect(await planted.json('/read')).toEqual({})
      expect((await ground.watched.store.count()).live).toBe(1)
    })

    it('reload gives what other requests have stored meanwhile, and drops what was not saved', async () => {
      const gate = gated()
      const { browser } = await open(grounds, {}, (app) => {
        app.get('/reload', async (request, response, next) => {
          sessionOf(request).mine = 'unsaved'
          await gate.wait()
          sessionOf(request).reload((error: unknown) => {
            if (error) return next(error)
            const { cookie: _, ...data } = sessionOf(request)
            response.json(data)
          })
        })
      })
      const ann = browser()
      await ann.get('/set/a/1')
      const reloading = ann.twin().json('/reload')
      await gate.reached
      await ann.get('/set/b/2')
      gate.open()
      expect(await reloading).toEqual({ a: '1', b: '2' })
      expect(await ann.json('/read')).toEqual({ a: '1', b: '2' })
    })

    it('reload of a session that has ended is an error', async () => {
      const gate = gated()
      const { browser } = await open(grounds, {}, (app) => {
        app.get('/reload', async (request, response) => {
          await gate.wait()
          sessionOf(request).reload((error: unknown) => response.send(String(error)))
        })
      })
      const ann = browser()
      await ann.get('/set/a/1')
      const reloading = ann.twin().get('/reload')
      await gate.reached
      await ann.get('/logout')
      gate.open()
      expect((await reloading).text).toContain('SessionGoneError')
    })

    it('save stores at once, any number of times, each only what has changed since', async () => {
      const { browser, ground } = await open(grounds, {}, (app) => {
        app.get('/save', (request, response, next) => {
          sessionOf(request).a = 1
          sessionOf(request).save((error: unknown) => {
            if (error) return next(error)
            sessionOf(request).b = 2
            sessionOf(request).save((again: unknown) => (again ? next(again) : response.send('ok')))
          })
        })
      })
      const ann = browser()
      await ann.get('/save')
      expect(ground.watched.calls).toEqual(['create', 'save'])
      await ann.get('/save')
      expect(ground.watched.calls, 'the same values again').toEqual(['create', 'save', 'load'])
      expect(await ann.json('/read')).toEqual({ a: 1, b: 2 })
    })

    it("unset: 'destroy' ends a session that is set to null, and 'keep' leaves it", async () => {
      for (const [unset, kept] of [
        ['destroy', {}],
        ['keep', { a: '1' }],
      ] as const) {
        const routes: Parameters<typeof open>[2] = (app) => {
          app.get('/unset', (request, response) => {
            Reflect.set(request, 'session', null)
            response.send('unset')
          })
        }
        const { browser } = await open(grounds, {}, routes, { unset })
        const ann = browser()
        await ann.get('/set/a/1')
        await ann.get('/unset')
        expect(await ann.json('/read'), unset).toEqual(kept)
      }
    })

    it('rolling sends the cookie with every response, with its whole maxAge, and writes nothing', async () => {
      const middleware = { rolling: true, cookie: { maxAge: 3_600_000 } }
      const { browser, ground } = await open(grounds, {}, undefined, middleware)
      const ann = browser()
      await ann.get('/set/a/1')
      ground.watched.calls.length = 0
      const { setCookies } = await ann.get('/read')
      expect(setCookies).toHaveLength(1)
      const expires = Date.parse(/expires=([^;]+)/i.exec(setCookies[0] ?? '')?.[1] ?? '')
      expect(Math.abs(expires - Date.now() - 3_600_000)).toBeLessThan(60_000)
      expect(ground.watched.calls).toEqual(['load'])
    })

    it('resave saves nothing that is unchanged, and takes back nothing of other requests', async () => {
      const gate = gated()
      const routes: Parameters<typeof open>[2] = (app) => {
        app.get('/slow-read', async (_request, response) => {
          await gate.wait()
          response.send('read')
        })
      }
      const { browser, ground } = await open(grounds, {}, routes, { resave: true })
      const ann = browser()
      await ann.get('/set/a/1')
      const slow = ann.twin().get('/slow-read')
      await gate.reached
      await ann.get('/set/a/2')
      ground.watched.calls.length = 0
      gate.open()
      await slow
      expect(ground.watched.calls).toEqual([])
      expect(await ann.json('/read')).toEqual({ a: '2' })
    })

    it('saveUninitialized stores a session that holds nothing, and its absence does not', async () => {
      for (const saveUninitialized of [true, false]) {
        const { browser, ground } = await open(grounds, {}, undefined, { saveUninitialized })
        const { setCookies } = await browser().get('/read')
        expect(setCookies).toHaveLength(saveUninitialized ? 1 : 0)
        expect((await ground.watched.store.count()).live).toBe(saveUninitialized ? 1 : 0)
      }
    })

    it('a secret that is rotated leaves sessions signed in, and genid makes any sid it likes', async () => {
      const { browser, store } = await open(grounds, {}, undefined, {
        secret: 'old',
        genid: () => `user 1/${Math.random()}`,
      })
      const ann = browser()
      await ann.get('/set/a/1')
      const { expressSessionApplication, plainRoutes } = await import(
        './express-session-application.ts'
      )
      const later = grounds.closing(
        await expressSessionApplication(store, plainRoutes, { secret: ['new', 'old'] }),
      )
      const there = later.browser()
      for (const [name, value] of ann.cookies) there.cookies.set(name, value)
      expect(await there.json('/read')).toEqual({ a: '1' })
    })

    it('a maxAge that a handler sets holds for this session, longer or shorter', async () => {
      const { browser, ground } = await open(
        grounds,
        { idleTimeout: '1h' },
        (app) => {
          app.get('/last/:ms', (request, response) => {
            sessionOf(request).cookie.maxAge = Number(request.params.ms)
            response.send('set')
          })
        },
        { cookie: { maxAge: 3_600_000 } },
      )
      const ann = browser()
      await ann.get('/set/a/1')
      await ann.get(`/last/${30 * 86_400_000}`)
      await ground.elapse(29 * 86_400_000)
      expect(await ann.json('/read')).toEqual({ a: '1' })
      expect(await ann.json('/cookie')).toMatchObject({ originalMaxAge: 30 * 86_400_000 })
      await ann.get('/last/60000')
      await ground.elapse(61_000)
      expect(await ann.json('/read')).toEqual({})
    })
  })
})
