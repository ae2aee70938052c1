import { describe, expect, it } from 'vitest'
import { sessionOf } from './express-session-application.ts'
import { eachGround } from './grounds.ts'
import { openExpressSession } from './open-express-session.ts'

eachGround((grounds) => {
  describe('express-session with limits', () => {
    it('refuses to store more than they allow, tells the application, and keeps what was there', async () => {
      const limits = { valueBytes: 100, sessionBytes: 330, keys: 4 }
      const { browser } = await openExpressSession(grounds, { limits }, (app) => {
        app.get('/fill/:key/:length', (request, response) => {
          const { key, length } = request.params
          sessionOf(request)[key] = 'x'.repeat(Number(length))
          sessionOf(request).save((error?: Error) => {
            if (error) sessionOf(request).reload(() => response.send(error.message))
            else response.send('stored')
          })
        })
      })
      const ann = browser()
      expect((await ann.get('/fill/a/50')).text).toBe('stored')
      expect((await ann.get('/fill/b/100')).text).toContain('limits.valueBytes allows 100')
      expect(await ann.json('/read')).toEqual({ a: 'x'.repeat(50) })
      for (const key of ['b', 'c']) expect((await ann.get(`/fill/${key}/50`)).text).toBe('stored')
      expect((await ann.get('/fill/d/50')).text).toContain('limits.keys allows 4')
      await ann.get('/delete/c')
      expect((await ann.get('/fill/a/90')).text).toBe('stored')
      expect((await ann.get('/fill/b/90')).text).toBe('stored')
      expect((await ann.get('/fill/d/90')).text).toContain('limits.sessionBytes allows 330')
      expect((await ann.get('/fill/b/5')).text).toBe('stored')
    })

    it('takes a session over a limit that came later, and lets it shrink', async () => {
      const before = await openExpressSession(grounds)
      const ann = before.browser()
      await ann.get(`/set/a/${'x'.repeat(200)}`)
      await ann.get(`/set/b/${'x'.repeat(200)}`)
      const limits = { valueBytes: 100, sessionBytes: 150, keys: 1 }
      const store = () => before.ground.beside()
      const after = await openExpressSession(
        { ...grounds, lay: async () => ({ ...before.ground, beside: store }) },
        { limits },
      )
      const same = after.browser()
      for (const [name, value] of ann.cookies) same.cookies.set(name, value)
      expect(Object.keys((await same.json('/read')) as object)).toEqual(['a', 'b'])
      await same.get('/delete/b')
      expect(Object.keys((await same.json('/read')) as object)).toEqual(['a'])
      await same.get('/set/c/1')
      expect(Object.keys((await same.json('/read')) as object)).toEqual(['a'])
    })
  })
})
