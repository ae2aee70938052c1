import passport from 'passport'
import { createSessions } from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { sessionOf } from './express-session-application.ts'
import { eachGround, type Grounds } from './grounds.ts'
import { openExpressSession } from './open-express-session.ts'

eachGround((grounds) => {
  describe('Passport on express-session with PgSessionStore', () => {
    it.each([
      ['a string', 'ann', 'ann'],
      ['a number', 42, '42'],
      ['an object with an id', { id: 7, name: 'Ann' }, '7'],
    ])(
      'a login is a sign-in of its user, kept as %s, and a logout ends it',
      async (_, user, userId) => {
        const { browser, sessions } = await open(grounds, user)
        const ann = browser()
        await ann.get('/set/basket/tea')
        await ann.get('/login')
        expect(await sessions.listByUser(userId)).toHaveLength(1)
        const stolen = ann.twin()
        await ann.get('/logout')
        expect(await sessions.listByUser(userId)).toEqual([])
        expect((await stolen.get('/user')).text).toBe('anonymous')
        await ann.get('/login')
        expect(await sessions.destroyByUser(userId)).toBe(1)
        expect((await ann.get('/user')).text).toBe('anonymous')
      },
    )

    it('a user that names none leaves the session without one', async () => {
      const { browser, sessions, live } = await open(grounds, { name: 'Ann' })
      const ann = browser()
      await ann.get('/login')
      expect((await ann.get('/user')).text).toBe('{"name":"Ann"}')
      expect(await live()).toBe(1)
      expect(await sessions.listByUser('undefined')).toEqual([])
    })
  })
})

async function open(grounds: Grounds, user: unknown) {
  const authenticator = new passport.Passport()
  authenticator.serializeUser((it, done) => done(null, it))
  authenticator.deserializeUser((it, done) => done(null, it as Express.User))
  const application = await openExpressSession(grounds, {}, (app) => {
    app.use(authenticator.session())
    app.get('/login', (request, response, next) => {
      request.logIn(user as Express.User, (error) => (error ? next(error) : response.send('in')))
    })
    app.get('/logout', (request, response, next) => {
      request.logOut((error) => (error ? next(error) : response.send('out')))
    })
    app.get('/user', (request, response) => {
      expect(sessionOf(request)).toBeDefined()
      response.send(request.user === undefined ? 'anonymous' : JSON.stringify(request.user))
    })
  })
  const store = application.ground.beside()
  const sessions = createSessions({ store, log: false })
  return { ...application, sessions, live: async () => (await store.count()).live }
}
