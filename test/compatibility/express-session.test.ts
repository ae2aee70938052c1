import { describe, expect, it } from 'vitest'
import { sessionOf } from './express-session-application.ts'
import { gated } from './gate.ts'
import { eachGround } from './grounds.ts'
import { openExpressSession as open } from './open-express-session.ts'

eachGround((grounds) => {
  describe('express-session on Express 5 with PgSessionStore', () => {
    it('50 parallel requests that each set another key keep all 50', async () => {
      const { browser } = await open(grounds)
      const ann = browser()
      await ann.get('/set/first/1')
      const keys = Array.from({ length: 50 }, (_, index) => `key${index}`)
      await Promise.all(keys.map((key) => ann.twin().get(`/set/${key}/yes`)))
      const expected = Object.fromEntries(keys.map((key) => [key, 'yes']))
      expect(await ann.json('/read')).toEqual({ first: '1', ...expected })
    })

    it('a deleted key goes, and a key that another request set meanwhile stays', async () => {
      const gate = gated()
      const { browser } = await open(grounds, {}, (app) => {
        app.get('/slow-delete', async (request, response) => {
          delete sessionOf(request).a
          await gate.wait()
          response.send('deleted')
        })
      })
      const ann = browser()
      await ann.get('/set/a/1')
      const slow = ann.twin().get('/slow-delete')
      await gate.reached
      await ann.get('/set/b/2')
      gate.open()
      await slow
      expect(await ann.json('/read')).toEqual({ b: '2' })
    })

    it('logout while a slow request is in flight stays a logout', async () => {
      const gate = gated()
      const { browser, ground } = await open(grounds, {}, (app) => {
        app.get('/slow', async (request, response) => {
          sessionOf(request).late = 'yes'
          await gate.wait()
          response.send('done')
        })
      })
      const ann = browser()
      await ann.get('/set/user/ann')
      const stolen = ann.twin()
      const slow = ann.twin().get('/slow')
      await gate.reached
      await ann.get('/logout')
      gate.open()
      expect(await slow, 'the slow request is answered as if nothing had happened').toMatchObject({
        status: 200,
        text: 'done',
      })
      expect(await stolen.json('/read')).toEqual({})
      expect((await ground.watched.store.count()).live).toBe(0)
    })

    it('a read-only request inside the touch interval writes nothing', async () => {
      const { browser, ground } = await open(grounds, { touchInterval: '10m' })
      const ann = browser()
      await ann.get('/set/a/1')
      ground.watched.calls.length = 0
      expect(await ann.json('/read')).toEqual({ a: '1' })
      await ground.watched.settled()
      expect(ground.watched.calls).toEqual(['load'])
      await ground.elapse(11 * 60_000)
      await ann.get('/read')
      await ann.get('/read')
      await ground.watched.settled()
      expect(ground.watched.calls).toEqual(['load', 'load', 'touch', 'load'])
    })
  })
})
