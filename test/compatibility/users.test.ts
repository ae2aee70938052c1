import { createSessions, type Sessions } from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { sessionOf } from './express-session-application.ts'
import { gated } from './gate.ts'
import { eachGround, type Grounds } from './grounds.ts'
import { openExpressSession } from './open-express-session.ts'

eachGround((grounds) => {
  describe('express-session with a function that tells the user', () => {
    it('users’ sessions can be listed and ended by native sessions', async () => {
      const { browser, sessions } = await open(grounds)
      const [phone, laptop, bob] = [browser(), browser(), browser()]
      await phone.get('/set/user/ann')
      await laptop.get('/set/user/ann')
      await bob.get('/set/user/bob')
      const devices = await sessions.listByUser('ann')
      expect(devices).toHaveLength(2)
      expect(devices[0]?.authenticatedAt).toBeInstanceOf(Date)
      expect(await sessions.destroyByUser('ann')).toBe(2)
      expect(await phone.json('/read')).toEqual({})
      expect(await laptop.json('/read')).toEqual({})
      expect(await bob.json('/read')).toEqual({ user: 'bob' })
    })

    it('a user who signs in to a session that is there, or takes it over, owns it from then on', async () => {
      const { browser, sessions } = await open(grounds)
      const client = browser()
      await client.get('/set/basket/tea')
      for (const user of ['ann', 'bob']) {
        await client.get(`/set/user/${user}`)
        expect(await sessions.listByUser(user)).toHaveLength(1)
        expect(await client.json('/read')).toEqual({ basket: 'tea', user })
      }
      expect(await sessions.listByUser('ann')).toEqual([])
    })

    it('a user who is taken out of the session owns it no more, and their late save is dropped', async () => {
      const gate = gated()
      const { browser, sessions } = await open(grounds, gate)
      const client = browser()
      await client.get('/set/user/ann')
      await client.get('/set/theme/dark')
      const slow = client.twin().get('/slow')
      await gate.reached
      await client.get('/delete/user')
      gate.open()
      expect((await slow).status).toBe(200)
      expect(await sessions.listByUser('ann')).toEqual([])
      expect(await client.json('/read')).toEqual({ theme: 'dark' })
    })

    it('what is not a user id is an error, and nothing is stored', async () => {
      const { browser, ground } = await openExpressSession(
        grounds,
        {
          userId: (session) => session.user as string,
        },
        (app) => {
          app.get('/number', (request, response, next) => {
            sessionOf(request).user = 42
            sessionOf(request).save((error: unknown) => next(error))
            response.on('close', () => undefined)
          })
        },
      )
      const { text } = await browser().get('/number')
      expect(text).toContain('userId returned something that is not a user id')
      expect((await ground.watched.store.count()).live).toBe(0)
    })
  })
})

async function open(
  grounds: Grounds,
  gate = gated(),
): Promise<Awaited<ReturnType<typeof openExpressSession>> & { sessions: Sessions }> {
  const application = await openExpressSession(
    grounds,
    { userId: ({ user }) => (typeof user === 'string' ? user : null) },
    (app) => {
      app.get('/slow', async (request, response) => {
        sessionOf(request).late = 'ann’s'
        await gate.wait()
        response.send('done')
      })
    },
  )
  const sessions = createSessions({ store: application.ground.beside(), log: false })
  return { ...application, sessions }
}
