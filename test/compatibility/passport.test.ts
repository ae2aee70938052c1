import flash from 'connect-flash'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import OAuth2Strategy from 'passport-oauth2'
import { createSessions, type Sessions } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import {
  OAuthStateStore,
  type PassportSessionsOptions,
  passportSessions,
} from 'pg-sessions/passport'
import { describe, expect, it } from 'vitest'
import { serve } from '../adapters/listen.ts'
import { Browser } from './browser.ts'
import { eachGround, type Ground, type Grounds } from './grounds.ts'
import { openProvider } from './oauth-provider.ts'

eachGround((grounds) => {
  describe('Passport on native sessions', () => {
    it('logIn signs in: a new token, the old one dead, the user listed, req.user set at each request', async () => {
      const { browser, sessions } = await open(grounds)
      const ann = browser()
      await ann.get('/set/basket')
      const before = ann.twin()
      expect((await ann.get('/login?user=ann')).text).toBe('in')
      expect((await ann.get('/user')).text).toBe('ann')
      expect((await before.get('/user')).text).toBe('anonymous')
      const [device] = await sessions.listByUser('ann')
      expect(device?.authenticatedAt).toBeInstanceOf(Date)
      expect(await ann.json('/data')).toEqual({ passport: { user: 'ann' } })
    })

    it('keepSessionInfo keeps what the visitor had, over a login and over a logout', async () => {
      const { browser } = await open(grounds)
      const ann = browser()
      await ann.get('/set/basket')
      await ann.get('/login?user=ann&keep=1')
      expect(await ann.json('/data')).toEqual({ basket: 1, passport: { user: 'ann' } })
      await ann.get('/login?user=bob&keep=1')
      expect(await ann.json('/data'), 'but never what another user had').toEqual({
        passport: { user: 'bob' },
      })
      await ann.get('/set/theme')
      await ann.get('/logout?keep=1')
      expect(await ann.json('/data')).toEqual({ theme: 1 })
      expect((await ann.get('/user')).text).toBe('anonymous')
    })

    it('logOut ends the session, and no slower request brings it back', async () => {
      const { browser, ground } = await open(grounds)
      const ann = browser()
      await ann.get('/login?user=ann')
      const stolen = ann.twin()
      expect((await ann.get('/logout')).text).toBe('out')
      expect((await ann.get('/user')).text).toBe('anonymous')
      expect((await stolen.get('/user')).text).toBe('anonymous')
      expect((await ground.watched.store.count()).live).toBe(0)
    })

    it('two clicks on "log in" at once both succeed, and both browsers stay signed in', async () => {
      const { browser } = await open(grounds)
      for (let round = 0; round < 5; round++) {
        const ann = browser()
        await ann.get('/set/basket')
        const clicks = [ann, ann.twin()]
        const answers = await Promise.all(clicks.map((it) => it.get('/login?user=ann')))
        expect(answers.map(({ text }) => text)).toEqual(['in', 'in'])
        for (const click of clicks) expect((await click.get('/user')).text).toBe('ann')
      }
    })

    it('who was signed in natively is req.user, and who was ended from afar is not', async () => {
      const { browser, sessions } = await open(grounds)
      const ann = browser()
      await ann.get('/login?user=ann')
      await ann.get('/native/bob')
      expect((await ann.get('/user')).text).toBe('bob')
      expect(await sessions.destroyByUser('bob')).toBe(1)
      expect((await ann.get('/user')).text).toBe('anonymous')
    })

    it('a user who cannot be found any more is signed out', async () => {
      const { browser, sessions } = await open(grounds)
      const ann = browser()
      await ann.get('/login?user=removed')
      expect((await ann.get('/user')).text).toBe('anonymous')
      expect(await sessions.listByUser('removed')).toEqual([])
    })

    it('numbers and objects with an id name a user; for others userId says it, or the login fails', async () => {
      const { browser, sessions } = await open(grounds)
      const ann = browser()
      await ann.get('/login?json=42')
      expect((await ann.get('/user')).text).toBe('42')
      await ann.get('/login?json={"id":"cy","role":"admin"}')
      expect(await ann.json('/user')).toEqual({ id: 'cy', role: 'admin' })
      expect(await sessions.listByUser('42')).toHaveLength(0)
      expect(await sessions.listByUser('cy')).toHaveLength(1)
      const failed = await ann.get('/login?json={"name":"dan"}')
      expect(failed.status).toBe(500)
      expect(failed.text).toContain('names no user')
      const own = await open(grounds, { userId: ({ name }: { name: string }) => name })
      const dan = own.browser()
      await dan.get('/login?json={"name":"dan"}')
      expect(await own.sessions.listByUser('dan')).toHaveLength(1)
      expect(await dan.json('/user')).toEqual({ name: 'dan' })
    })

    it('passport-local: success, failure with a message and a flash, and the page that was wanted', async () => {
      const { browser } = await open(grounds)
      const ann = browser()
      const wrong = await ann.get('/local?username=ann&password=wrong')
      expect(wrong.status).toBe(302)
      await ann.get('/local?username=ann&password=wrong')
      expect(await ann.json('/data')).toEqual({
        messages: ['wrong password', 'wrong password'],
        flash: { error: ['wrong password', 'wrong password'] },
      })
      expect(await ann.json('/flash')).toEqual({ error: ['wrong password', 'wrong password'] })
      expect(await ann.json('/flash'), 'shown once').toEqual(null)
      await ann.get('/wanted')
      const right = await ann.get('/local?username=ann&password=right&keep=1')
      expect(right.location).toBe('/wanted')
      expect(await ann.json('/data')).toMatchObject({ passport: { user: 'ann' } })
      expect(await ann.json('/data')).not.toHaveProperty('returnTo')
    })

    it.each(['own', 'theirs'])(
      'OAuth 2.0 with PKCE and a state, kept by %s state store',
      async (by) => {
        const { browser, sessions } = await open(grounds)
        const ann = browser()
        expect((await follow(ann, `/oauth/${by}`)).text).toBe('in')
        expect((await ann.get('/user')).text).toBe('ann')
        expect(await sessions.listByUser('ann')).toHaveLength(1)
        expect(await ann.json('/data')).toEqual({ passport: { user: 'ann' } })
      },
    )

    it('a state works in no other browser, for no other state, and once', async () => {
      const { browser } = await open(grounds)
      const [ann, eve] = [browser(), browser()]
      const leaving = await ann.get('/oauth/own')
      const back = await atProvider(leaving.location)
      await eve.get('/set/basket')
      expect((await eve.get(back)).status, 'another browser').toBe(403)
      expect((await ann.get(`${back}x`)).status, 'another state').toBe(403)
      const twice = await Promise.all([ann, ann.twin()].map((it) => it.get(back)))
      expect(twice.map(({ status }) => status).sort()).toEqual([200, 403])
    })

    it('two logins that leave for the provider at once both come back, the second keeping the session', async () => {
      const { browser } = await open(grounds)
      const ann = browser()
      await ann.get('/set/basket')
      const tabs = await Promise.all([ann, ann.twin()].map((it) => it.get('/oauth/own?keep=1')))
      for (const { location } of tabs) {
        expect((await ann.get(`${await atProvider(location)}&keep=1`)).text).toBe('in')
      }
      expect(await ann.json('/data')).toEqual({ basket: 1, passport: { user: 'ann' } })
    })

    it('a session holds few pending logins, however many a robot begins', async () => {
      const { browser } = await open(grounds)
      const robot = browser()
      for (let n = 0; n < 12; n++) await robot.get('/oauth/own')
      expect(Object.keys((await robot.json('/data')) as object)).toHaveLength(8)
    })

    it('passport.authorize keeps the login and gives the account', async () => {
      const { browser } = await open(grounds)
      const ann = browser()
      await ann.get('/login?user=bob')
      const leaving = await ann.get('/connect')
      expect(await ann.json(await atProvider(leaving.location, 'linked'))).toEqual({
        user: 'bob',
        account: 'linked',
      })
    })

    it('a store that is away fails the login and logs no user in', async () => {
      const { browser, ground } = await open(grounds)
      const ann = browser()
      ground.watched.fail('create', new RangeError('away'))
      expect((await ann.get('/login?user=ann')).status).toBe(500)
      expect((await ann.get('/user')).text).toBe('anonymous')
    })
  })
})

describe('passportSessions', () => {
  it('says what to do when it is given something else', () => {
    for (const other of [undefined, null, {}, passport.Passport, () => undefined]) {
      expect(() => passportSessions(other as never)).toThrow('takes the passport instance')
    }
    const instance = new passport.Passport()
    expect(() => passportSessions(instance, { user: 1 } as never)).toThrow("no option 'user'")
    expect(() => passportSessions(instance, { userId: 'id' } as never)).toThrow(
      'must be a function',
    )
    expect(() => new OAuthStateStore({ ttl: '1m' } as never)).toThrow("no option 'ttl'")
    expect(passportSessions(passportSessions(instance))).toBe(instance)
  })

  it('says what to do without a session, and with one of another middleware', async () => {
    for (const [session, says] of [
      [undefined, 'before Passport'],
      [{ cookie: {} }, 'in the place of express-session'],
    ] as const) {
      const instance = passportSessions(new passport.Passport())
      const app = express()
      app.use((request, _response, next) => {
        Object.assign(request, { session })
        next()
      }, instance.session())
      app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
        response.send(error.message)
      })
      const running = await serve(app)
      expect((await new Browser(running.origin).get('/')).text).toContain(says)
      await running.close()
    }
  })
})

/** Where a provider sends a browser back to, as a path of ours. */
async function atProvider(location: string, user = 'ann'): Promise<string> {
  const answer = await fetch(`${location}&user=${user}`, { redirect: 'manual' })
  const { pathname, search } = new URL(answer.headers.get('location') ?? '')
  return pathname + search
}

async function follow(browser: Browser, path: string) {
  return browser.get(await atProvider((await browser.get(path)).location))
}

interface Application {
  readonly sessions: Sessions
  readonly ground: Ground
  browser(): Browser
}

async function open(grounds: Grounds, options: PassportSessionsOptions = {}): Promise<Application> {
  const ground = await grounds.lay()
  const sessions = createSessions({
    store: ground.watched.store,
    cookie: { development: true },
    log: false,
  })
  const provider = grounds.closing(await openProvider())
  const app = express()
  app.use(expressSessions(sessions))
  const running = grounds.closing(await serve(app))
  const instance = passportSessions(new passport.Passport(), options)
  instance.serializeUser((user, done) => done(null, user))
  instance.deserializeUser((user, done) => done(null, user === 'removed' ? false : (user as never)))
  instance.use(
    new LocalStrategy({ usernameField: 'username' }, (user, password, done) => {
      if (password === 'right') done(null, user as never)
      else done(null, false, { message: 'wrong password' })
    }),
  )
  for (const [name, store] of [
    ['own', new OAuthStateStore()],
    ['theirs', undefined],
  ] as const) {
    const strategy = new OAuth2Strategy(
      {
        authorizationURL: `${provider.origin}/authorize`,
        tokenURL: `${provider.origin}/token`,
        clientID: 'us',
        clientSecret: 'ours',
        callbackURL: `${running.origin}/back/${name}`,
        pkce: true,
        state: true,
        ...(store ? { store: store as never } : {}),
      },
      (
        _token: string,
        _refresh: string,
        profile: { id: string },
        done: (e: null, u: unknown) => void,
      ) => done(null, profile.id),
    )
    strategy.userProfile = async (token, done) => {
      const answer = await fetch(`${provider.origin}/user`, {
        headers: { authorization: `Bearer ${token}` },
      })
      done(null, await answer.json())
    }
    instance.use(name, strategy)
  }
  app.use(flash(), instance.session())
  addRoutes(app, instance, running.origin)
  return { sessions, ground, browser: () => new Browser(running.origin) }
}

function addRoutes(app: Express, instance: passport.Authenticator, origin: string): void {
  app.get('/login', (request, response, next) => {
    const { user, json, keep } = request.query as Record<string, string>
    const who = json === undefined ? user : JSON.parse(json)
    request.logIn(who, { keepSessionInfo: keep === '1' } as never, (error) =>
      error ? next(error) : response.send('in'),
    )
  })
  app.get('/logout', (request, response, next) => {
    request.logOut({ keepSessionInfo: request.query.keep === '1' }, (error) =>
      error ? next(error) : response.send('out'),
    )
  })
  app.get('/user', (request, response) => {
    const { user } = request
    response.send(user === undefined ? 'anonymous' : typeof user === 'object' ? user : String(user))
  })
  app.get('/data', async (request, response) => {
    await request.session.load()
    response.json(request.session.data)
  })
  app.get('/flash', async (request, response) => {
    response.json((await request.session.take('flash')) ?? null)
  })
  app.get('/set/:key', (request, response) => {
    request.session.set(request.params.key, 1)
    response.send('set')
  })
  app.get('/native/:user', async (request, response) => {
    await request.session.signIn(request.params.user)
    response.send('in')
  })
  app.get('/wanted', (request, response) => {
    request.session.set('returnTo', '/wanted')
    response.redirect('/login')
  })
  app.get('/local', (request, response, next) => {
    instance.authenticate('local', {
      failureMessage: true,
      failureFlash: true,
      failureRedirect: '/login',
      successReturnToOrRedirect: '/',
      keepSessionInfo: request.query.keep === '1',
    })(request, response, next)
  })
  for (const name of ['own', 'theirs']) {
    app.get(`/oauth/${name}`, instance.authenticate(name))
    app.get(`/back/${name}`, (request, response, next) => {
      const keepSessionInfo = request.query.keep === '1'
      instance.authenticate(name, { keepSessionInfo })(request, response, () => response.send('in'))
      void next
    })
  }
  const connected = { callbackURL: `${origin}/connected` } as passport.AuthenticateOptions
  app.get('/connect', instance.authorize('own', connected))
  app.get('/connected', instance.authorize('own', connected), (request, response) => {
    response.json({ user: request.user, account: Reflect.get(request, 'account') })
  })
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    response.status((error as { statusCode?: number }).statusCode ?? 500).send(error.message)
  })
}
