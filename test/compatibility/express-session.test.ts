import { describe, expect, it } from 'vitest'
import { sessionOf } from './express-session-application.ts'
import { gated } from './gate.ts'
import { eachGround } from './grounds.ts'
import { openExpressSession as open } from './open-express-session.ts'
import { logOutMeanwhile, setKeysAtOnce } from './shared-stories.ts'

eachGround((grounds) => {
  describe('express-session on Express 5 with PgSessionStore', () => {
    it('50 parallel requests that each set another key keep all 50', async () => {
      const { browser } = await open(grounds)
      await setKeysAtOnce(browser(), 50)
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
      await logOutMeanwhile(browser(), gate)
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
