import { createHmac, createSecretKey, generateKeyPairSync } from 'node:crypto'
import express from 'express'
import session from 'express-session'
import { createSessions, type Session } from 'pg-sessions'
import { expressSessionTokens, PgSessionStore } from 'pg-sessions/express-session'
import { connectSessions } from 'pg-sessions/node'
import type { SessionStore } from 'pg-sessions/store'
import { describe, expect, it } from 'vitest'
import { serve } from '../adapters/listen.ts'
import { Browser } from './browser.ts'
import { sessionOf } from './express-session-application.ts'
import { eachGround, type Ground, type Grounds } from './grounds.ts'

const SECRET = 'one secret for both'

describe('expressSessionTokens', () => {
  const tokens = expressSessionTokens({ secret: ['new', 'old'] })
  const cookie = (sid: string, secret: string): string => {
    const signature = createHmac('sha256', secret).update(sid).digest('base64').replace(/=+$/, '')
    return encodeURIComponent(`s:${sid}.${signature}`)
  }

  it('reads what any of the secrets signed, and signs with the first', () => {
    expect(tokens.read(cookie('abc', 'new'))).not.toBeNull()
    expect(tokens.read(cookie('a.b/ü', 'old'))).not.toBeNull()
    const { token, id } = tokens.issue()
    expect(tokens.read(token)?.id).toBe(id)
    expect(expressSessionTokens({ secret: 'new' }).read(token)?.id).toBe(id)
    expect(expressSessionTokens({ secret: 'old' }).read(token)).toBeNull()
    expect(tokens.reissue(id).id).toBe(id)
  })

  it('takes secrets as bytes and as keys, alone and in lists, as express-session does', () => {
    const bytes = Buffer.from('new')
    const key = createSecretKey(Buffer.from('old'))
    for (const secret of [bytes, new Uint8Array(bytes), createSecretKey(bytes), [bytes, key]]) {
      const signed = expressSessionTokens({ secret })
      expect(signed.read(cookie('abc', 'new'))).not.toBeNull()
      expect(tokens.read(signed.issue().token)).not.toBeNull()
    }
    expect(expressSessionTokens({ secret: [bytes, key] }).read(cookie('a', 'old'))).not.toBeNull()
    const wiped = expressSessionTokens({ secret: bytes })
    bytes.fill(0)
    expect(wiped.read(cookie('abc', 'new'))).not.toBeNull()
  })

  it('reads what @fastify/session signed, whose base64 is not percent-encoded', () => {
    const bare = expressSessionTokens({ secret: 'new', prefix: '' })
    for (let n = 0; n < 20; n++) {
      const token = decodeURIComponent(cookie(`sid-${n}`, 'new')).slice(2)
      expect(bare.read(token)).not.toBeNull()
      expect(bare.read(encodeURIComponent(token))).toEqual(bare.read(token))
      expect(bare.read(`${token}=`)).toBeNull()
      expect(bare.read(token.replace('.', '%2e'))).toBeNull()
    }
  })

  it('refuses every cookie that is not signed, or is spelt in another way', () => {
    const good = cookie('a+b', 'new')
    const plain = decodeURIComponent(good)
    const bad = [
      '',
      '%',
      'abc',
      plain,
      plain.slice(2),
      `${good}=`,
      good.slice(0, -1),
      good.replace('s%3A', 's:'),
      good.replace('%3A', '%3a'),
      cookie('a+b', 'other'),
      encodeURIComponent('s:.sig'),
      encodeURIComponent('s:'),
      encodeURIComponent(`s:abc.${'x'.repeat(43)}`),
    ]
    for (const token of bad) expect(tokens.read(token), token).toBeNull()
    const { publicKey } = generateKeyPairSync('ed25519')
    for (const secret of [[], '', Buffer.alloc(0), publicKey, ['good', ''], 7, null, undefined]) {
      expect(() => expressSessionTokens({ secret: secret as never })).toThrow('secret must be')
    }
  })
})

eachGround((grounds) => {
  describe('express-session and native sessions in one application', () => {
    it('share one session: each reads what the other stored, whichever of them began it', async () => {
      for (const first of ['old', 'new']) {
        const ann = await application(grounds)
        await ann.get(`/${first}/set/a/1`)
        await ann.get('/old/set/b/2')
        await ann.get('/new/set/c/3')
        const all = { a: '1', b: '2', c: '3' }
        expect(await ann.json('/old/read'), `begun by ${first}`).toEqual(all)
        expect(await ann.json('/new/read'), `begun by ${first}`).toEqual(all)
        expect([...ann.cookies.keys()]).toEqual(['connect.sid'])
      }
    })

    it('a native sign-in gives a new cookie, which express-session takes; the old one is dead', async () => {
      const ann = await application(grounds)
      await ann.get('/old/set/a/1')
      const planted = ann.twin()
      await ann.get('/new/sign-in/ann')
      expect(await ann.json('/old/read')).toEqual({ a: '1' })
      expect(await planted.json('/old/read')).toEqual({})
      expect(await planted.json('/new/read')).toEqual({})
      await ann.get('/old/set/b/2')
      expect(await ann.json('/new/user')).toBe('ann')
    })

    it('a logout on either side is one on both', async () => {
      for (const side of ['old', 'new']) {
        const ann = await application(grounds)
        await ann.get('/old/set/a/1')
        const stolen = ann.twin()
        await ann.get(`/${side}/logout`)
        expect(await stolen.json('/old/read')).toEqual({})
        expect(await stolen.json('/new/read')).toEqual({})
      }
    })

    it('a session that native sessions began has the attributes of express-session’s options', async () => {
      const ann = await application(grounds, { rolling: true, cookie: { sameSite: 'strict' } })
      await ann.get('/new/set/a/1')
      const { setCookies } = await ann.get('/old/read')
      expect(setCookies[0]).toMatch(/^connect\.sid=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/)
    })
  })
})

async function application(
  grounds: Grounds,
  options: Partial<session.SessionOptions> = {},
): Promise<Browser> {
  const { watched, beside }: Ground = await grounds.lay()
  const store = new PgSessionStore({ store: watched.store, log: false, purgeInterval: 'never' })
  const app = express()
  const common = { secret: SECRET, resave: false, saveUninitialized: false }
  app.use('/old', session({ ...common, ...options, store }), oldRoutes())
  app.use('/new', newRoutes(beside()))
  const running = grounds.closing(await serve(app))
  return new Browser(running.origin)
}

function oldRoutes(): express.Router {
  const router = express.Router()
  router.get('/set/:key/:value', (request, response) => {
    sessionOf(request)[request.params.key] = request.params.value
    response.send('set')
  })
  router.get('/read', (request, response) => {
    const { cookie: _, ...data } = sessionOf(request)
    response.json(data)
  })
  router.get('/logout', (request, response) => {
    sessionOf(request).destroy(() => response.send('bye'))
  })
  return router
}

function newRoutes(store: SessionStore): express.Router {
  const sessions = createSessions<Record<string, unknown>>({
    store,
    log: false,
    tokens: expressSessionTokens({ secret: SECRET }),
    cookie: { name: 'connect.sid', secure: false },
  })
  const withSessions = connectSessions(sessions)
  const of = (request: express.Request): Session<Record<string, unknown>> =>
    withSessions.of(request)
  const router = express.Router()
  router.use(withSessions)
  router.get('/set/:key/:value', (request, response) => {
    of(request).set(request.params.key, request.params.value)
    response.send('set')
  })
  router.get('/read', async (request, response) => {
    const { cookie: _, ...data } = Object.fromEntries(await of(request).entries())
    response.json(data)
  })
  router.get('/sign-in/:user', async (request, response) => {
    await of(request).signIn(request.params.user)
    response.send('in')
  })
  router.get('/user', async (request, response) => {
    await of(request).load()
    response.json(of(request).userId)
  })
  router.get('/logout', (request, response) => {
    of(request).destroy()
    response.send('bye')
  })
  return router
}
